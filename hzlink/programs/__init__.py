"""The programs that hzlink runs, kubectl and skupper, and what their refusals mean."""
