"""A store that speaks S3, in a process of its own, which knows its users and checks their signatures."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from typing import Any
from urllib.parse import quote

from support.running import free_port, wait_until

# The server, which the kernel stops when the test run is killed (PR_SET_PDEATHSIG, of Linux alone).
COMMAND = "import ctypes, sys; ctypes.CDLL(None).prctl(1, 9); from moto.server import main; main(sys.argv[1:])"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}]}


class S3:
    """A server with one bucket. ``url(...)`` is what HANDSEL_STORAGE_URL takes, with a user who may do everything."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen([sys.executable, "-c", COMMAND, "-H", "127.0.0.1", "-p", str(self.port)],
                                        env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, 30, "the store listens")
        self._iam, s3 = self._client("iam", "setup", "setup"), self._client("s3", "setup", "setup")
        s3.create_bucket(Bucket="handsel-files")
        self.key, self.secret = self._user("machine", EVERYTHING)
        self.powerless = self._user("guest", NOTHING)
        urllib.request.urlopen(urllib.request.Request(  # from now on keys are checked
            f"{self.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})).close()
        self._s3 = self._client("s3", self.key, self.secret)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _client(self, service: str, key: str, secret: str) -> Any:
        import boto3

        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=key,
                            aws_secret_access_key=secret)

    def _user(self, name: str, policy: dict[str, Any]) -> tuple[str, str]:
        self._iam.create_user(UserName=name)
        self._iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        made = self._iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def url(self, prefix: str = "", key: str | None = None, secret: str | None = None, bucket: str = "handsel-files",
            endpoint: str = "") -> str:
        """The setting for a part of the bucket; another key, secret or endpoint for what goes wrong."""
        who = f"{quote(key or self.key, safe='')}:{quote(secret or self.secret, safe='')}"
        return f"s3://{who}@{bucket}/{prefix}?endpoint={endpoint or self.endpoint}&region=us-east-1"

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """What lies in the bucket below ``prefix``, by name."""
        found = self._s3.list_objects_v2(Bucket="handsel-files", Prefix=prefix).get("Contents", [])
        return {each["Key"].removeprefix(prefix): self._s3.get_object(
            Bucket="handsel-files", Key=each["Key"])["Body"].read() for each in found}

    def put(self, name: str, data: bytes) -> None:
        """Put an object behind our back."""
        self._s3.put_object(Bucket="handsel-files", Key=name, Body=data)

    def fall_silent(self) -> None:
        """Take connections and say nothing, as a store does when it hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def speak(self) -> None:
        """Answer again."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End, even while silent."""
        self.process.kill()
        self.process.wait()


class Trickle:
    """A line to the store that takes the first bytes of the first upload of a file and then no more."""

    def __init__(self, port: int, most: int) -> None:
        self.most, self.to = most, port
        self.stalled = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self._pass, args=(near, far, self.most), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, None), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        try:
            while data := source.recv(4096):
                target.sendall(data)
                if most is not None and (most := most - len(data)) <= 0:
                    self.stalled.set()
                    return  # neither closed nor read on
        except OSError:
            pass
        target.close()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.close()
