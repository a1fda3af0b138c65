"""Keys and certificates for tests, made by openssl(1): `make(folder)` gives their paths by name."""

import ssl
import subprocess

NAMES = "subjectAltName=DNS:a.test,IP:127.0.0.1"
KINDS = {
    "ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    "rsa": ["-newkey", "rsa:2048"],
    "ed25519": ["-newkey", "ed25519"],
    "weak": ["-newkey", "rsa:1024"],
}


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Certificates:
    """Files of one folder, made when first asked for."""

    def __init__(self, folder):
        self.folder = folder

    def pair(self, name, *, kind="ecdsa"):
        """A certificate that signs itself, and its key."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not key.exists():
            self.request(certificate, key, kind, "-x509", "-days", 30)
        return certificate, key

    def expired(self):
        certificate, key = self.folder / "expired.pem", self.folder / "expired.key"
        request = self.folder / "expired.csr"
        openssl("req", *KINDS["ecdsa"], "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=a.test")
        openssl("x509", "-req", "-in", request, "-signkey", key, "-days", -1, "-out", certificate)
        return certificate, key

    def request(self, out, key, kind, *arguments):
        openssl("req", *KINDS[kind], "-nodes", "-keyout", key, "-out", out, "-subj", "/CN=a.test", "-addext", NAMES, *arguments)

    def chain(self):
        """The certificate of a server, behind it the one that has signed it; its key; and the root."""
        chain, key, root = self.folder / "chain.pem", self.folder / "chain.key", self.folder / "root.pem"
        if chain.exists():
            return chain, key, root
        self.request(root, self.folder / "root.key", "ecdsa", "-x509", "-days", 30)
        constraints = self.folder / "ca.cnf"
        constraints.write_text("basicConstraints=critical,CA:TRUE\n")
        names = self.folder / "names.cnf"
        names.write_text(NAMES + "\n")
        for name, by, extensions in (("middle", "root", constraints), ("leaf", "middle", names)):
            request, own = self.folder / f"{name}.csr", self.folder / f"{name}.key"
            openssl("req", *KINDS["ecdsa"], "-nodes", "-keyout", own, "-out", request, "-subj", f"/CN={name}")
            openssl(
                "x509", "-req", "-in", request, "-CA", self.folder / f"{by}.pem", "-CAkey", self.folder / f"{by}.key", "-days", 30,
                "-extfile", extensions, "-out", self.folder / f"{name}.pem", "-CAcreateserial",
            )  # fmt: skip
        chain.write_text((self.folder / "leaf.pem").read_text() + (self.folder / "middle.pem").read_text())
        (self.folder / "leaf.key").rename(key)
        return chain, key, root


def client(version=None, *, trusted=None, alpn=("http/1.1",)):
    """A client's context; of one version of TLS only, when that is given. `trusted`: what signs the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(trusted)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context
