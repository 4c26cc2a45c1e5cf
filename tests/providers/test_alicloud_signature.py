"""The signature against the fixed parameter values that Alibaba publishes (www.alibabacloud.com, "Request syntax and
signature method V3")."""

from dataclasses import replace

from domain.onboarding.credentials import Secret
from providers.alicloud.permissions import Call, Service
from providers.alicloud.signature import AccessKey, query_of, signed_headers

DATE, NONCE = "2023-10-26T10:22:32Z", "3156853299f313e23d1673dc12e1703d"
PARAMETERS = {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
SIGNATURE = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
KEY = AccessKey("YourAccessKeyId", Secret("YourAccessKeySecret"))


class Published(Call):
    """A call to the region of the example."""

    @property
    def service(self) -> Service:
        return Service("ecs.cn-shanghai.aliyuncs.com", "2014-05-26")


CALL = Published("ecs:RunInstances", PARAMETERS)


def test_the_published_request_has_the_published_signature():
    assert signed_headers(KEY, CALL, date=DATE, nonce=NONCE)["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        f"x-acs-signature-nonce;x-acs-version,Signature={SIGNATURE}"
    )


def test_the_published_parameters_have_the_published_query():
    assert query_of(PARAMETERS) == f"ImageId={PARAMETERS['ImageId']}&RegionId=cn-shanghai"


def test_signs_are_encoded_as_the_signature_wants_them():
    assert query_of({"b": "a b*c+d/e=f&g:h~-_.", "a": "é"}) == "a=%C3%A9&b=a%20b%2Ac%2Bd%2Fe%3Df%26g%3Ah~-_."


def test_whatever_changes_gives_another_signature():
    others = [
        signed_headers(replace(KEY, secret=Secret("YourAccessKeySecreT")), CALL, date=DATE, nonce=NONCE),
        signed_headers(KEY, Published("ecs:RunInstance", PARAMETERS), date=DATE, nonce=NONCE),
        signed_headers(KEY, Published("ecs:RunInstances", {"RegionId": "cn-shanghai"}), date=DATE, nonce=NONCE),
        signed_headers(KEY, CALL, date=DATE.replace("32Z", "33Z"), nonce=NONCE),
        signed_headers(KEY, CALL, date=DATE, nonce=NONCE.upper()),
        signed_headers(replace(KEY, token=Secret("token")), CALL, date=DATE, nonce=NONCE),
    ]
    signatures = {headers["authorization"].rpartition("=")[2] for headers in others}
    assert len(signatures - {SIGNATURE}) == len(others)


def test_a_token_is_signed_with_the_rest():
    headers = signed_headers(replace(KEY, token=Secret("token")), CALL, date=DATE, nonce=NONCE)
    assert headers["x-acs-security-token"] == "token"
    assert "x-acs-security-token" in headers["authorization"]


def test_a_key_does_not_show_itself():
    assert repr(AccessKey("LTAI5tvisible", Secret("secret"), Secret("token"))) == (
        "AccessKey(secret=Secret(***), token=Secret(***))"
    )
