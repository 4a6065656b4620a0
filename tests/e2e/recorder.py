"""A provider's address that notes what it is sent and passes it on to the simulator.

The simulator judges requests as the providers do; this shows the bytes themselves, for fields that
change nothing in its answers (seed, top_p, safety settings).
"""

import http.client
import http.server
import json
import threading
import urllib.parse


class Recorder:
    def __init__(self, simulator_url):
        self.bodies = []
        self.address = urllib.parse.urlsplit(simulator_url)
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.bodies.append(json.loads(body))
                upstream = http.client.HTTPConnection(recorder.address.netloc)
                headers = {name: value for name, value in self.headers.items()
                           if name.lower() not in ("host", "content-length", "accept-encoding")}
                upstream.request("POST", self.path, body, headers)
                reply = upstream.getresponse()
                answer = reply.read()
                upstream.close()
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.getheader("Content-Type", ""))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
