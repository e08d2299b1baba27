"""Looks misspelt words up. Prints what it found, so that a faster program that finds something else is caught."""
from library.distance import nearest
from library.words import unique, words

TEXT = "the quick brown fox jumps over the lazy dog while seven wizards box with thirty liquid hamsters " * 60

vocabulary = unique(words(TEXT))
print([nearest(word, vocabulary) for word in ("wizzard", "hamstr", "lazzy", "brwon", "junps", "theerty", "lipuid", "sevven")])
print(len(vocabulary))
