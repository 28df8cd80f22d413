"""corelane blast http against nginx, behind the kernel's TCP.

The answers that blast has counted are compared with nginx's own log.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from check_load import on_tap
from lab import KERNEL, Failure, expect, expect_equal, wait_until

PORT = 8080
BODY = "n" * 128
CONFIG = """
daemon off;
master_process off;
error_log {home}/error.log;
pid {home}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log {home}/access.log;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  keepalive_requests 1000000;
  server {{
    listen {port};
    location / {{ return 200 "{body}"; }}
  }}
}}
"""


def nginx():
    """The program; scripts/interop has found or unpacked it."""
    program = os.environ.get("CORELANE_NGINX", "")
    if not os.access(program, os.X_OK):
        raise Failure("no nginx: install it, or let scripts/interop download it")
    return program


def listens():
    try:
        socket.create_connection(("127.0.0.1", PORT), 1).close()
    except OSError:
        return False
    return True


def requests(home):
    with open(f"{home}/access.log", encoding="ascii") as log:
        return sum(1 for _ in log)


def http(lab):
    """Keep-alive, and a connection for each request."""
    home = tempfile.mkdtemp(prefix="corelane-nginx-")
    server = None
    try:
        os.chmod(home, 0o755)
        program = nginx()
        config = f"{home}/nginx.conf"
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(home=home, port=PORT, body=BODY))
        server = subprocess.Popen([program, "-p", home, "-c", config],
                                  stderr=subprocess.DEVNULL)
        wait_until(listens, 10, "nginx")
        seen = requests(home)
        figures = []
        for words in ((), ("--once",)):
            results = on_tap(lab, "http", f"{KERNEL}:{PORT}", *words, "--rate",
                             "500", "--concurrency", "8", "--warmup", "0",
                             "--duration", "1s", "--slo", "errors=0")
            what = " ".join(("http", *words))
            expect_equal(results["ok"], 500, f"{what}: answers")
            # It writes a line when the answer has left.
            wait_until(lambda: requests(home) >= seen + 500, 5, "nginx's log")
            logged = requests(home) - seen
            seen += logged
            expect_equal(logged, 500, f"{what}: requests in nginx's log")
            figures.append(f"{what} p50 "
                           f"{results['latency_ns']['p50'] / 1000:.0f} us")
        wrong = on_tap(lab, "http", f"{KERNEL}:{PORT}", "--rate", "100",
                       "--status", "404", "--duration", "1s", "--warmup", "0",
                       code=1)
        expect(wrong["ok"] == 0 and wrong["errors"], "a 200 is no 404")
        return ", ".join(figures)
    finally:
        if server is not None:
            server.send_signal(signal.SIGTERM)
            server.wait(10)
        shutil.rmtree(home)
