"""From a trained run to a .nrk: streaming graphs, snapshot, clips, anchors, manifest."""
