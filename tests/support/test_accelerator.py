import pytest

from ftkeras.support import accelerator

INFO = """\
processor\t: 0
model\t\t: 207
model name\t: Some Processor
stepping\t: 2
flags\t\t: fpu avx2 {flags}
"""


@pytest.fixture
def info(tmp_path):
    def write(flags=""):
        path = tmp_path / "cpuinfo"
        path.write_text(INFO.format(flags=flags))
        return path

    return write


@pytest.mark.parametrize(("flags", "has"), [("", False), ("avx512_bf16", True), ("amx_bf16", True)])
def test_bfloat16_of_the_processor_is_read_from_its_flags(info, flags, has):
    assert accelerator.cpu_has_bfloat16(info(flags)) is has


def test_where_linux_does_not_say_there_is_no_bfloat16(tmp_path):
    assert not accelerator.cpu_has_bfloat16(tmp_path / "none")


def test_name_of_the_processor_tells_its_model(info):
    assert accelerator.cpu_name(info()) == "Some Processor 207 2"


def test_gain_of_bfloat16_is_a_ratio_of_times():
    assert accelerator.bfloat16_gain(16) > 0
