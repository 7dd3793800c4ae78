"""The panel: a web page served on this machine only, and what it says over its sockets."""
