"""Completes TLS handshakes with workload certificates in BoringSSL, Envoy's TLS library, through grpcio.

Standard input: a JSON line with the certificate of the other end of each handshake ({chain, key, roots}), then requests
({id, chain, key, roots}: what the Istio agent sends to Envoy, in base64). Standard output: {id, error?} for each request,
where the error is the first reason why a proxy rejects a workload as server or as client.
"""

import base64
import json
import re
import sys
from concurrent import futures

import grpc

METHOD = "/fuzz/Call"
# gRPC compares the name only after BoringSSL has accepted the chain. It knows DNS names only, a workload has a URI.
ACCEPTED = "Hostname Verification Check failed"


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")


def reason(error):
    """Returns BoringSSL's reason if there is one. The whole text contains a port, which differs in each run."""
    details = error.details()
    match = re.search(r"OPENSSL_internal:(.*?)(: OK)?$", details)
    return match.group(1) if match else re.sub(r"^.*127\.0\.0\.1:\d+: ", "", details)


def call(server_credentials, channel_credentials):
    """Returns the error of one call over a new connection, or None."""
    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=(Handler(),), options=(("grpc.so_reuseport", 0),))
    try:
        port = server.add_secure_port("127.0.0.1:0", server_credentials)
        server.start()
        options = (
            ("grpc.ssl_target_name_override", "peer.example"),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
        )
        with grpc.secure_channel(f"127.0.0.1:{port}", channel_credentials, options=options) as channel:
            channel.unary_unary(METHOD)(b"", timeout=20)
        return None
    except grpc.RpcError as error:
        return reason(error)
    except (RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        server.stop(None)


def judge(peer, chain, key, roots):
    as_server = call(
        grpc.ssl_server_credentials(((key, chain),)),
        grpc.ssl_channel_credentials(root_certificates=roots),
    )
    if as_server is not None and ACCEPTED not in as_server:
        return f"as server: {as_server}"
    as_client = call(
        grpc.ssl_server_credentials(((peer["key"], peer["chain"]),), root_certificates=roots, require_client_auth=True),
        grpc.ssl_channel_credentials(root_certificates=peer["roots"], private_key=key, certificate_chain=chain),
    )
    return f"as client: {as_client}" if as_client else None


def main():
    peer = {name: text.encode() for name, text in json.loads(sys.stdin.readline()).items()}
    for line in sys.stdin:
        request = json.loads(line)
        error = judge(peer, *(base64.b64decode(request[name]) for name in ("chain", "key", "roots")))
        answer = {"id": request["id"]}
        if error is not None:
            answer["error"] = error
        print(json.dumps(answer), flush=True)


main()
