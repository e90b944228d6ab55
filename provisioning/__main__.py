"""`python3 -m provisioning`: works on a bare clone, with nothing installed."""

from provisioning.bootstrap import run

if __name__ == "__main__":
    run()
