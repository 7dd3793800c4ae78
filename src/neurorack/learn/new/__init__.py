"""From a folder of recordings to an instrument in one go: prepare, train, export, measure."""
