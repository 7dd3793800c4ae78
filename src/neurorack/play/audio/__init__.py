"""Where sound goes: sound cards, browsers, a clocked null; and the process that renders it."""
