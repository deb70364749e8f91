"""What the frameworks of phones declare, in our own words: apps are type-checked against it.

kotlin/<module>/ and swift/<Module>/ are data; for_kotlin.py and for_swift.py compile them. README.md says
where the declarations come from, what is real instead, and how to add one.
"""
