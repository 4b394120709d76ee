"""The attacks by kind: dice, a moment and the stage they play on in, labelled lines in one of many wordings out."""
