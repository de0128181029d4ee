"""Writes botocore.json: requests signed by botocore, as they go over the wire.

    python3 vectors.py > botocore.json

botocore is the signer behind boto3 and the aws CLI and shares no code with the Go SDK,
which the tests use as their other reference.
"""
import base64
import datetime
import json
from urllib.parse import urlsplit

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
auth.get_current_datetime = lambda *a, **k: NOW.replace(tzinfo=None)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:4566"


def wire(request):
    parts = urlsplit(request.url)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    body = request.body or b""
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {HOST}", "User-Agent: botocore"]
    lines += [f"{k}: {v}" for k, v in request.headers.items()]
    if body and "content-length" not in {k.lower() for k in request.headers}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def vector(name, signer, method, target, headers=None, data=b"", service="s3", region="us-east-1", token=None, **kw):
    request = AWSRequest(method=method, url=f"http://{HOST}{target}", headers=headers or {}, data=data)
    signer(Credentials("AKIDBOTO", SECRET, token), service, region, **kw).add_auth(request)
    return {
        "name": name, "s3": service == "s3", "service": service, "region": region, "token": token or "",
        "request": base64.b64encode(wire(request.prepare())).decode(),
    }


H, P = auth.S3SigV4Auth, auth.S3SigV4QueryAuth
vectors = [
    vector("get", H, "GET", "/bucket/key"),
    vector("put with body", H, "PUT", "/bucket/key", {"Content-Type": "text/plain", "x-amz-meta-a": "b"}, b"hello"),
    vector("double slash", H, "GET", "/bucket//a//b"),
    vector("dot segments", H, "GET", "/bucket/a/../b/./c"),
    vector("encoded slash", H, "GET", "/bucket/a%2Fb"),
    vector("space plus percent", H, "GET", "/bucket/a%20b%2Bc%25d"),
    vector("unicode", H, "GET", "/bucket/%E2%82%AC/%F0%9F%98%80"),
    vector("newline", H, "GET", "/bucket/a%0Ab"),
    vector("bare sub-resource", H, "GET", "/bucket?versioning="),
    vector("query order", H, "GET", "/bucket?prefix=a%2Fb&list-type=2&prefix-x=1&delimiter=%2F&marker="),
    vector("repeated key", H, "GET", "/bucket?k=b&k=a%2Fc&k=a-c"),
    vector("header spaces", H, "PUT", "/bucket/key", {"x-amz-meta-a": "  one   two  "}),
    vector("session token", H, "GET", "/bucket/key", token="FwoGZ+token/=="),
    vector("other region", H, "GET", "/bucket/key", region="eu-central-1"),
    vector("presigned get", P, "GET", "/bucket/a%20b"),
    vector("presigned token", P, "GET", "/bucket/k?versionId=a%2Bb", token="FwoGZ+token/=="),
    vector("presigned put headers", P, "PUT", "/bucket/k", {"x-amz-meta-a": "b", "Content-Type": "text/x"}),
    vector("presigned one second", P, "GET", "/bucket/k", expires=1),
    vector("sts", auth.SigV4Auth, "POST", "/", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
           b"Action=GetCallerIdentity&Version=2011-06-15", service="sts"),
    vector("kms", auth.SigV4Auth, "POST", "/", {"X-Amz-Target": "TrentService.ListKeys",
           "Content-Type": "application/x-amz-json-1.1"}, b"{}", service="kms", region="us-west-2", token="tok"),
    vector("iam get", auth.SigV4Auth, "GET", "/?Action=ListUsers&Version=2010-05-08", service="iam"),
    vector("date header", auth.SigV4Auth, "GET", "/?Action=ListUsers", {"Date": "x"}, service="iam"),
    vector("standard path", auth.SigV4Auth, "GET", "/a%20b//c/./d/../e/", service="sts"),
    vector("presigned sts", auth.SigV4QueryAuth, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15",
           {"x-k8s-aws-id": "cluster"}, service="sts", expires=60),
]
print(json.dumps({
    "botocore": botocore.__version__, "accessKey": "AKIDBOTO", "secret": SECRET,
    "time": NOW.strftime("%Y%m%dT%H%M%SZ"), "vectors": vectors,
}, indent=1))
