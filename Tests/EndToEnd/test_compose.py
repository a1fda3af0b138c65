"""docker-compose.yml and the Dockerfile, as far as they can be held against something without Docker: Compose's own reading, the files they name, the programs."""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from conftest import BIN_DIR
from serving import HERE

ROOT = HERE.parent.parent
UNPACKED = ROOT / ".peers" / "compose" / "usr" / "lib" / "python3" / "dist-packages"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def clients():
    """The commands that read a Compose file here: Docker's plug-in, and docker-compose, installed or unpacked."""
    found = []
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        found.append(["docker", "compose"])
    if shutil.which("docker-compose"):
        found.append(["docker-compose"])
    if UNPACKED.exists():
        found.append([sys.executable, "-c", f"import sys; sys.path.append({str(UNPACKED)!r}); from compose.cli.main import main; main()"])
    return found


def test_compose_reads_the_file():
    commands = clients()
    if not commands:
        pytest.skip("there is no Compose client")
    for command in commands:
        done = subprocess.run([*command, "config"], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert set(yaml.safe_load(done.stdout)["services"]) == set(COMPOSE["services"])


def test_what_is_wanted_is_there():
    services = COMPOSE["services"]
    assert {"notes", "tags", "agent", "jaeger", "zipkin", "prometheus", "grafana", "consul"} <= set(services)
    for name, service in services.items():
        # Of this machine only.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "build" in service or re.fullmatch(r"[\w./-]+:v?[\d.]+", service["image"]), f"{name}: {service['image']} names no version"
        assert set(service.get("depends_on", [])) <= set(services)


def test_files_that_are_mounted_are_there():
    mounts = [mount.split(":")[0] for service in COMPOSE["services"].values() for mount in service.get("volumes", [])]
    for source in mounts:
        assert source in COMPOSE["volumes"] or (ROOT / source).exists(), source
    for path in (ROOT / "dashboards" / "compose").rglob("*.y*ml"):
        assert yaml.safe_load(path.read_text()), path


def ours():
    return {name: service for name, service in COMPOSE["services"].items() if service["image"] == "sidelight"}


@pytest.mark.parametrize("name", sorted(ours()))
def test_our_programs_understand_their_commands(sidelight, name):
    """Their flags and files are read, and what is said is of nothing else than of a place that is not to be had."""
    service = ours()[name]
    words = shlex.split(service["command"])
    for mount in service["volumes"]:
        source, target = mount.split(":")[:2]
        if (ROOT / source).exists():
            words = [word.replace(target, str(ROOT / source)) if word.startswith(target) else word for word in words]
    if words[0] == "agent":
        done = sidelight("check", "config", words[words.index("-c") + 1])
        assert done.code == 0, done.err
        return
    # A wrong flag behind the right ones: the first that is not understood is the one that is told.
    done = sidelight(words[0], *words[1:-1], "--no-such-flag", words[-1])
    assert done.code == 2 and "--no-such-flag" in done.err, done.err
    assert pathlib.Path(words[-1]).exists()


def test_scraped_places_are_services():
    scraped = yaml.safe_load((ROOT / "dashboards" / "compose" / "prometheus.yml").read_text())["scrape_configs"]
    targets = [target for job in scraped for entry in job["static_configs"] for target in entry["targets"]]
    for target in targets:
        name, port = target.split(":")
        command = COMPOSE["services"][name]["command"]
        agent = yaml.safe_load((ROOT / "dashboards" / "compose" / "agent.yaml").read_text())
        assert f"--admin 0.0.0.0:{port}" in command or agent["admin"] == f"0.0.0.0:{port}", target


def test_nothing_is_counted_twice():
    """Who is scraped sends the agent no metrics, which would be on the agent's page as well."""
    [job] = yaml.safe_load((ROOT / "dashboards" / "compose" / "prometheus.yml").read_text())["scrape_configs"]
    scraped = {target.split(":")[0] for entry in job["static_configs"] for target in entry["targets"]}
    assert job["honor_labels"] and scraped == {"notes", "tags", "agent"}
    for name in scraped - {"agent"}:
        service = COMPOSE["services"][name]
        # A flag would take the place of the variables.
        assert "--export" not in service["command"]
        assert service["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://agent:4318"
        assert service["environment"]["OTEL_METRICS_EXPORTER"] == "prometheus"


def test_the_image_has_the_libraries_that_the_programs_need():
    (installed,) = re.findall(r"^RUN apt-get update && apt-get install -y --no-install-recommends \\\n(.*?)\s*&& rm", DOCKERFILE, re.M | re.S)
    packages = set(installed.replace("\\", " ").split())
    libraries = set()
    for program in ("sidelight", "sidelight-worker"):
        listed = subprocess.run(["ldd", BIN_DIR / program], capture_output=True, text=True, check=True).stdout
        libraries |= {line.split()[2] for line in listed.splitlines() if "=> /" in line}
    assert any("libnode" in library for library in libraries)
    for library in libraries:
        if ".deps" in library or "libnode" in library:
            continue
        owners = set()
        for name in {library, str(pathlib.Path(library).resolve()), "/usr" + library}:
            listed = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True).stdout
            owners |= {line.split(":")[0] for line in listed.splitlines()}
        assert owners & (packages | {"libc6"}), f"{library} is of {owners}, which the image does not have"


def test_files_that_the_image_copies_are_there():
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ".git" in ignored and ".build*" in ignored and "Sources" not in ignored
