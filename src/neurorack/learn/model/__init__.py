"""The F-RAVE family model: filterbank, encoder, source-filter decoder; every part a pure streaming step."""
