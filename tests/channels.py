"""The channel policy that tests use: that of AWS's usual partition."""

import botocore.session

from notify.policy import PublicChannels

CHANNELS = PublicChannels(
    partition="aws", topic_regions=botocore.session.Session().get_available_regions("sns", partition_name="aws")
)
