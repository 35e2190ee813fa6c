"""The whole system on one machine: embedded database servers and the processes of `make run`.

Development only. Nothing in production imports this package, and its packages are in requirements-dev.txt.
"""
