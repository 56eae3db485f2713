"""The servers that the conformance tests run against."""

import shutil


def pytest_addoption(parser):
    """Add the address of a server that serves the tiny model."""
    parser.addoption("--target", help="also test this server: http://host:8501")


def pytest_generate_tests(metafunc):
    """Parametrize `server` with the servers there are, so that no test is collected in vain."""
    if "server" in metafunc.fixturenames:
        servers = ["ftkeras"]
        if shutil.which("tensorflow_model_server"):
            servers.append("tensorflow_model_server")
        if metafunc.config.getoption("--target", default=None):
            servers.append("target")
        metafunc.parametrize("server", servers, indirect=True, scope="module")
