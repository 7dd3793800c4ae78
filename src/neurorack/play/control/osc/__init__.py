"""OSC: packets, addresses, the UDP server, its subscribers, the namespace as OSCQuery describes it."""
