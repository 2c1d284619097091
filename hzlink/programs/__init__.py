"""The programs that hzlink runs, kubectl and skupper, and the classification of their errors."""
