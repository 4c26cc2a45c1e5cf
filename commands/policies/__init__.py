"""The policies of AWS, rendered from the settings: of the roles, of the KMS keys, and what CloudTrail records.

`deploy/iam`, `deploy/kms` and `deploy/cloudtrail` hold them for the default settings and an example's account; a test
compares. The doctor, the emulated AWS and `python cli.py policies` render them for a deployment's own.
"""
