#!/usr/bin/env python3
"""A name server that knows no name, and says so at once.

    nobody.py ADDRESS

The engine asks the machine's name server for what it does not know itself, such as the name of a container that has
stopped. "No such name" takes a host out of a proxy's cluster; no answer at all would leave it there.
"""

import socketserver
import sys

QUESTION = 12
# A response, recursion as it was asked for and available, NXDOMAIN.
NO_SUCH_NAME = bytes([0x81, 0x83])


class Nobody(socketserver.BaseRequestHandler):
    def handle(self):
        query, socket = self.request
        # One question, and no record: what follows the question is left out.
        end = query.find(0, QUESTION) + 5
        answer = query[:2] + NO_SUCH_NAME + query[4:6] + bytes(6) + query[QUESTION:end]
        socket.sendto(answer, self.client_address)


socketserver.UDPServer((sys.argv[1], 53), Nobody).serve_forever()
