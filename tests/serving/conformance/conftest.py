"""The servers that the conformance tests ask."""


def pytest_addoption(parser):
    """Adds the address of a server that serves the tiny model."""
    parser.addoption("--target", help="ask this server too: http://host:8501")
