"""The regions of Oracle Cloud Infrastructure and where their services answer: a closed list, so that a submitted region
can lead nowhere else. Realms, domains and regions are those of Oracle's SDK (`oci.regions_definitions`, 2.189), and so
are the names of the services' hosts (`service_endpoint_template` of each client)."""

from typing import NamedTuple


class Realm(NamedTuple):
    """A cloud of its own: tenancies, users and keys exist in one realm only, which their OCIDs name."""

    name: str
    domain: str


REALMS = {
    Realm("oc1", "oraclecloud.com"): (
        "af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chuncheon-1 ap-delhi-1 ap-hyderabad-1 ap-kulai-2 "
        "ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-singapore-1 ap-singapore-2 ap-sydney-1 ap-tokyo-1 "
        "ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-frankfurt-1 eu-madrid-1 eu-madrid-3 eu-marseille-1 eu-milan-1 "
        "eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-dubai-1 me-jeddah-1 "
        "me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-santiago-1 sa-saopaulo-1 sa-valparaiso-1 "
        "sa-vinhedo-1 uk-cardiff-1 uk-london-1 us-ashburn-1 us-chicago-1 us-phoenix-1 us-saltlake-2 us-sanjose-1"
    ),
    Realm("oc2", "oraclegovcloud.com"): "us-langley-1 us-luke-1",
    Realm("oc3", "oraclegovcloud.com"): "us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1",
    Realm("oc4", "oraclegovcloud.uk"): "uk-gov-cardiff-1 uk-gov-london-1",
    Realm("oc8", "oraclecloud8.com"): "ap-chiyoda-1 ap-ibaraki-1",
    Realm("oc9", "oraclecloud9.com"): "me-dcc-muscat-1 me-ibri-1",
    Realm("oc10", "oraclecloud10.com"): "ap-dcc-canberra-1",
    Realm("oc14", "oraclecloud14.com"): (
        "eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2"
    ),
    Realm("oc15", "oraclecloud15.com"): "ap-dcc-gazipur-1",
    Realm("oc19", "oraclecloud.eu"): "eu-frankfurt-2 eu-madrid-2",
    Realm("oc20", "oraclecloud20.com"): "eu-jovanovac-1",
    Realm("oc21", "oraclecloud21.com"): "me-alrayyan-1 me-dcc-doha-1",
    Realm("oc23", "oraclecloud23.com"): "us-somerset-1 us-thames-1",
    Realm("oc24", "oraclecloud24.com"): "eu-crissier-1 eu-dcc-zurich-1",
    Realm("oc26", "oraclecloud26.com"): "me-abudhabi-3 me-alain-1",
    Realm("oc29", "oraclecloud29.com"): "me-abudhabi-2 me-abudhabi-4",
    Realm("oc35", "oraclecloud35.com"): "ap-chuncheon-2 ap-seoul-2 ap-suwon-1",
    Realm("oc42", "oraclecloud42.com"): "us-ashburn-2 us-newark-1",
    Realm("oc51", "oraclecloud51.com"): "eu-budapest-1",
    Realm("oc52", "oraclecloud52.com"): "sa-riodejaneiro-1",
}

REGIONS = {region: realm for realm, regions in REALMS.items() for region in regions.split()}

SERVICES = {
    "identity": "identity.{region}.oci.{domain}",
    "core": "iaas.{region}.{domain}",
    "objectstorage": "objectstorage.{region}.{domain}",
    "database": "database.{region}.{domain}",
    "audit": "audit.{region}.{domain}",
    "events": "events.{region}.oci.{domain}",
    "logging": "logging.{region}.oci.{domain}",
    "kms": "kms.{region}.{domain}",
}


def host(service: str, region: str) -> str:
    return SERVICES[service].format(region=region, domain=REGIONS[region].domain)


HOSTS = frozenset(host(service, region) for service in SERVICES for region in REGIONS)


def is_oci_host(name: str) -> bool:
    return name in HOSTS
