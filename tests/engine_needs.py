"""What an engine of the operator's might need of each cloud: each is one that the cloud knows, and the stand-ins, too.

Without such an engine no more is published than validation uses, so tests of missing permissions bring these.
"""

from providers.alicloud.permissions import PROBES as ALICLOUD_PROBES
from providers.alicloud.permissions import REQUIRED as ALICLOUD_REQUIRED
from providers.oci.permissions import PERMISSIONS as OCI_PERMISSIONS
from providers.oci.permissions import PROBES as OCI_PROBES

AZURE = (
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resources/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Storage/storageAccounts/read",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Authorization/policyAssignments/read",
    "Microsoft.Authorization/locks/read",
    "Microsoft.Storage/storageAccounts/blobServices/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/read",
    "Microsoft.Network/networkWatchers/flowLogs/read",
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/disks/read",
    "Microsoft.Sql/servers/read",
    "Microsoft.Sql/servers/firewallRules/read",
    "Microsoft.Sql/servers/auditingSettings/read",
    "Microsoft.Web/sites/read",
    "Microsoft.Web/sites/config/read",
    "Microsoft.ContainerService/managedClusters/read",
    "Microsoft.KeyVault/vaults/read",
    "Microsoft.Insights/activityLogAlerts/read",
    "Microsoft.Security/pricings/read",
    "Microsoft.Security/securityContacts/read",
    "Microsoft.Security/assessments/read",
)

GCP = (
    "resourcemanager.projects.getIamPolicy",
    "serviceusage.services.list",
    "iam.serviceAccounts.list",
    "compute.instances.list",
    "compute.networks.list",
    "compute.firewalls.list",
    "storage.buckets.list",
    "iam.serviceAccountKeys.list",
    "iam.roles.list",
    "storage.buckets.getIamPolicy",
    "compute.projects.get",
    "compute.subnetworks.list",
    "compute.disks.list",
    "compute.sslPolicies.list",
    "logging.sinks.list",
    "logging.logMetrics.list",
    "monitoring.alertPolicies.list",
    "cloudkms.keyRings.list",
    "cloudkms.cryptoKeys.list",
    "cloudkms.cryptoKeys.getIamPolicy",
    "cloudsql.instances.list",
    "bigquery.datasets.get",
    "container.clusters.list",
    "dns.managedZones.list",
)

IBM = (
    "user-management:Viewer",
    "resource-group:Viewer",
    "is:Viewer",
    "cloud-object-storage:Viewer",
    "context-based-restrictions:Viewer",
    "atracker:Viewer",
    "logs:Viewer",
    "kms:Viewer",
    "secrets-manager:Viewer",
    "containers-kubernetes:Viewer",
    "container-registry:Viewer",
    "databases-for-postgresql:Viewer",
    "databases-for-mongodb:Viewer",
    "cloudantnosqldb:Viewer",
    "codeengine:Viewer",
    "internet-svcs:Viewer",
    "transit:Viewer",
)

ALICLOUD = tuple(name for name in ALICLOUD_PROBES if name not in ALICLOUD_REQUIRED)
OCI = tuple(name for name in OCI_PROBES if name not in {permission.name for permission in OCI_PERMISSIONS})
