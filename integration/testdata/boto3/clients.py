"""boto3 with its default settings against a running emulator: python3 clients.py CASE.

Endpoint, credentials and Region come from the environment, as users set them.
"""

import hashlib
import io
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

assert tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 36), (
    f"boto3 {boto3.__version__} is too old: these cases need the default checksums of 1.36 (January 2025)"
)


def client(service, **settings):
    """boto3 from before mid-2023 does not read AWS_ENDPOINT_URL by itself."""
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], **settings)


s3 = client("s3")
kms = client("kms")
iam = client("iam")
sts = client("sts")


def equal(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def refused(call, code, status, **arguments):
    """The call must be refused with this code and status."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as e:
        equal((e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        return e.response
    raise AssertionError(f"{call.__name__} was not refused")


def fetch(url, data=None, method="GET", headers={}):
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def bucket(name):
    s3.create_bucket(Bucket=name)
    return name


def put_get():
    b = bucket("put-get")
    key = "a b/ü+%25&=?#.txt"
    put = s3.put_object(Bucket=b, Key=key, Body=b"hello", Metadata={"year": "2025"}, ContentType="text/plain", Tagging="x=1")
    equal(put["ETag"], '"' + hashlib.md5(b"hello").hexdigest() + '"')
    got = s3.get_object(Bucket=b, Key=key)
    equal(got["Body"].read(), b"hello")
    equal((got["Metadata"], got["ContentType"], got["TagCount"]), ({"year": "2025"}, "text/plain", 1))
    equal(s3.get_object(Bucket=b, Key=key, Range="bytes=1-3")["Body"].read(), b"ell")
    s3.upload_fileobj(io.BytesIO(b""), b, "empty")
    equal(s3.head_object(Bucket=b, Key="empty")["ContentLength"], 0)
    refused(s3.get_object, "NoSuchKey", 404, Bucket=b, Key="none")
    refused(s3.put_object, "PreconditionFailed", 412, Bucket=b, Key=key, Body=b"", IfNoneMatch="*")
    s3.copy_object(Bucket=b, Key="copy", CopySource={"Bucket": b, "Key": key})
    equal(s3.get_object(Bucket=b, Key="copy")["Body"].read(), b"hello")
    gone = s3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": key}, {"Key": "copy"}, {"Key": "empty"}]})
    equal(len(gone["Deleted"]), 3)
    s3.delete_bucket(Bucket=b)
    refused(s3.head_bucket, "404", 404, Bucket=b)


def multipart():
    """20 MiB through the transfer manager: parts up, ranges down."""
    b = bucket("multipart")
    data = hashlib.shake_128(b"multipart").digest(20 << 20)
    s3.upload_fileobj(io.BytesIO(data), b, "big")
    head = s3.head_object(Bucket=b, Key="big")
    equal(head["ContentLength"], len(data))
    assert head["ETag"].endswith('-3"'), head["ETag"]
    out = io.BytesIO()
    s3.download_fileobj(b, "big", out)
    equal(hashlib.sha256(out.getvalue()).digest(), hashlib.sha256(data).digest())
    up = s3.create_multipart_upload(Bucket=b, Key="left")
    s3.upload_part(Bucket=b, Key="left", UploadId=up["UploadId"], PartNumber=1, Body=b"part")
    equal([u["Key"] for u in s3.list_multipart_uploads(Bucket=b)["Uploads"]], ["left"])
    equal(s3.list_parts(Bucket=b, Key="left", UploadId=up["UploadId"])["Parts"][0]["Size"], 4)
    s3.abort_multipart_upload(Bucket=b, Key="left", UploadId=up["UploadId"])
    refused(s3.list_parts, "NoSuchUpload", 404, Bucket=b, Key="left", UploadId=up["UploadId"])


def presigned():
    """URLs for a client without credentials, as boto3 makes them by default: signature
    version 2 in Regions that know it, else 4; and both when asked for."""
    b = bucket("presigned")
    clients = [s3, client("s3", region_name="eu-central-1")]
    clients += [client("s3", config=botocore.config.Config(signature_version=v)) for v in ("s3", "s3v4")]
    for n, signer in enumerate(clients):
        key = f"a b/{n}+ü"
        put = signer.generate_presigned_url("put_object", Params={"Bucket": b, "Key": key, "ContentType": "text/plain"})
        equal(fetch(put, b"hello", "PUT", {"Content-Type": "text/plain"}), (200, b""))
        get = signer.generate_presigned_url("get_object", Params={"Bucket": b, "Key": key})
        equal(fetch(get), (200, b"hello"))
        status, body = fetch(get.replace("/a%20b/", "/other/"))
        equal(status, 403)
        assert b"<Code>SignatureDoesNotMatch</Code>" in body, body
        status, body = fetch(signer.generate_presigned_url("get_object", Params={"Bucket": b, "Key": key}, ExpiresIn=-1))
        assert status in (400, 403), (status, body)
        named = signer.generate_presigned_url("get_object", Params={"Bucket": b, "Key": key, "ResponseContentType": "text/x"})
        equal(fetch(named), (200, b"hello"))


def presigned_version_2_and_kms():
    """Objects under aws:kms ask for signature version 4."""
    b = bucket("version-2")
    s3.put_object(Bucket=b, Key="k", Body=b"hello", ServerSideEncryption="aws:kms")
    signer = client("s3", config=botocore.config.Config(signature_version="s3"))
    status, body = fetch(signer.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "k"}))
    equal(status, 400)
    assert b"require AWS Signature Version 4." in body, body


def checksums():
    b = bucket("checksums")
    s3.put_object(Bucket=b, Key="default", Body=b"hello")
    head = s3.head_object(Bucket=b, Key="default", ChecksumMode="ENABLED")
    equal(head["ChecksumCRC32"], "NhCmhg==")
    equal(head["ChecksumType"], "FULL_OBJECT")
    for algorithm, value in [("SHA256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="), ("SHA1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=")]:
        put = s3.put_object(Bucket=b, Key=algorithm, Body=b"hello", ChecksumAlgorithm=algorithm)
        equal(put["Checksum" + algorithm], value)
        got = s3.get_object(Bucket=b, Key=algorithm, ChecksumMode="ENABLED")
        equal((got["Checksum" + algorithm], got["Body"].read()), (value, b"hello"))
    refused(s3.put_object, "BadDigest", 400, Bucket=b, Key="bad", Body=b"hello", ChecksumCRC32="AAAAAA==")


def paginator():
    b = bucket("paginator")
    want = [f"{folder}/{n:02}" for folder in ("a", "b", "c") for n in range(40)]
    for key in want:
        s3.put_object(Bucket=b, Key=key, Body=b"")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=b, PaginationConfig={"PageSize": 7}))
    equal([o["Key"] for p in pages for o in p["Contents"]], want)
    equal(len(pages), 18)
    folders = s3.get_paginator("list_objects_v2").paginate(Bucket=b, Delimiter="/", PaginationConfig={"PageSize": 2})
    equal([x["Prefix"] for p in folders for x in p.get("CommonPrefixes", [])], ["a/", "b/", "c/"])
    s3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    boto3.resource("s3").Bucket(b).objects.filter(Prefix="a/").delete()
    versions = s3.get_paginator("list_object_versions").paginate(Bucket=b, Prefix="a/", PaginationConfig={"PageSize": 9})
    equal(sum(len(p.get("DeleteMarkers", [])) for p in versions), 40)


def keys():
    key = kms.create_key(Description="boto3")["KeyMetadata"]
    kms.create_alias(AliasName="alias/boto3", TargetKeyId=key["KeyId"])
    context = {"purpose": "test"}
    sealed = kms.encrypt(KeyId="alias/boto3", Plaintext=b"secret", EncryptionContext=context)
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    equal((opened["Plaintext"], opened["KeyId"]), (b"secret", key["Arn"]))
    refused(kms.decrypt, "InvalidCiphertextException", 400, CiphertextBlob=sealed["CiphertextBlob"])
    data_key = kms.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")
    equal(kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"], data_key["Plaintext"])
    b = bucket("keys")
    put = s3.put_object(Bucket=b, Key="k", Body=b"hello", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/boto3")
    equal(put["SSEKMSKeyId"], key["Arn"])
    kms.disable_key(KeyId=key["KeyId"])
    refused(kms.encrypt, "DisabledException", 400, KeyId=key["KeyId"], Plaintext=b"secret")
    refused(s3.get_object, "KMS.DisabledException", 400, Bucket=b, Key="k")
    kms.enable_key(KeyId=key["KeyId"])
    equal(s3.get_object(Bucket=b, Key="k")["Body"].read(), b"hello")


def roles():
    """A user assumes a role and acts with its session."""
    account = sts.get_caller_identity()["Account"]
    allow = lambda actions, resource: json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
    )
    iam.create_user(UserName="bob")
    iam.put_user_policy(UserName="bob", PolicyName="assume", PolicyDocument=allow("sts:AssumeRole", "*"))
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    equal(role["Arn"], f"arn:aws:iam::{account}:role/reader")
    equal(iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]["Version"], "2012-10-17")
    b = bucket("roles")
    s3.put_object(Bucket=b, Key="k", Body=b"hello")
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=allow("s3:GetObject", f"arn:aws:s3:::{b}/*"))
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    bob = boto3.Session(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    refused(bob.client("s3").get_object, "AccessDenied", 403, Bucket=b, Key="k")
    session = bob.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="session")
    c = session["Credentials"]
    reader = boto3.Session(aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    equal(reader.client("sts").get_caller_identity()["Arn"], f"arn:aws:sts::{account}:assumed-role/reader/session")
    equal(reader.client("s3").get_object(Bucket=b, Key="k")["Body"].read(), b"hello")
    refused(reader.client("s3").put_object, "AccessDenied", 403, Bucket=b, Key="k", Body=b"")
    equal([u["UserName"] for p in iam.get_paginator("list_users").paginate() for u in p["Users"]], ["bob"])


globals()[sys.argv[1]]()
