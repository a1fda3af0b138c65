"""scripts/bind-library on small libraries, beside what the dynamic loader makes of them."""

import os
import pathlib
import platform
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "bind-library"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

if not COMPILER or platform.machine() != "x86_64":
    pytest.skip("no C compiler, or no x86-64", allow_module_level=True)


def made(folder, name, text, *options):
    (folder / f"{name}.c").write_text(text)
    subprocess.run([COMPILER, "-fPIC", "-O0", folder / f"{name}.c", "-o", folder / name, *options], check=True, cwd=folder)
    return folder / name


# In one that binds its calls when they are first made, those stay: the loader would refuse it.
@pytest.mark.parametrize("when, calls_own", [("lazy", False), ("now", True)])
def test_a_bound_library_uses_what_is_its_own(tmp_path, when, calls_own):
    library = made(
        tmp_path, "library.so", "int value = 3; int own(void) { return value; } int asked(void) { return own() + 10 * value; }", "-shared", f"-Wl,-z,{when}"
    )
    program = made(tmp_path, "program", "int asked(void); int main(void) { return asked(); }", "./library.so")
    other = made(tmp_path, "other.so", "int value = 5; int own(void) { return 1; }", "-shared")

    def run(**environment):
        return subprocess.run([program], cwd=tmp_path, env={**os.environ, **environment}).returncode

    def bind():
        return subprocess.run([SCRIPT, library], check=True, capture_output=True, text=True).stdout

    assert (run(), run(LD_PRELOAD=str(other))) == (33, 51)
    assert "references of library.so to itself are bound" in bind()
    assert (run(), run(LD_PRELOAD=str(other))) == (33, 33 if calls_own else 31)
    assert bind() == "", "a second time there is nothing left to do"
    assert run() == 33
