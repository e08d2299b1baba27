import unittest

from library.distance import distance, nearest
from library.words import unique, words


class Library(unittest.TestCase):
    def test_words(self):
        self.assertEqual(words("One, two;  THREE"), ["one", "two", "three"])
        self.assertEqual(words(""), [])

    def test_unique(self):
        self.assertEqual(unique(["b", "a", "b"]), ["b", "a"])

    def test_distance(self):
        self.assertEqual(distance("kitten", "sitting"), 3)
        self.assertEqual(distance("", "abc"), 3)
        self.assertEqual(distance("abc", ""), 3)

    def test_nearest(self):
        self.assertEqual(nearest("cart", ["dog", "card", "cat"]), "card")
        self.assertIsNone(nearest("cart", []))


if __name__ == "__main__":
    unittest.main()
