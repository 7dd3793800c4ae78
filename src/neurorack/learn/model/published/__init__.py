"""The published method, for comparison: RAVE v1's autoencoder and F-RAVE's critic, written from the papers.

RAVE: A. Caillon and P. Esling, arXiv 2111.05011. C-RAVE and F-RAVE: N. Devis et al., arXiv 2302.13542. No
code of theirs is used. What is scaled to this project's size, and why, is in docs/method.md.
"""
