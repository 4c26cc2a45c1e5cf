"""The channel policy that tests use: that of AWS's usual partition."""

import botocore.session

from notify.policy import PublicChannels

OWN_ACCOUNT = "999999999999"
CHANNELS = PublicChannels(
    partition="aws",
    topic_regions=botocore.session.Session().get_available_regions("sns", partition_name="aws"),
    own_account=OWN_ACCOUNT,
)
