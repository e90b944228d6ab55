"""`python -m provisioning.cli`: what the bootstrap goes on to, and the same as the command `provisioning`."""

from provisioning.cli.main import main

if __name__ == "__main__":
    main()
