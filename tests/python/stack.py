"""The stack of template.yaml, with each way to choose a size, a network and a database: who may read which secret, who
may connect to whom, what each secret says, what is encrypted. `cargo xtask templates` runs it.
"""

import json
import re
import time
import warnings

from moto import mock_aws

from moto_stack import REGION, Chosen, Stack, client, transformed

HTTP = ["Site", "Auth", "Users", "Products", "Loans", "Servicing", "Payments", "Portfolio"]
DATABASE_PORT, TLS_PORT = 5432, 443


def check_secrets(stack):
    def said(name):
        return json.loads(client("secretsmanager").get_secret_value(SecretId=stack.secrets[name])["SecretString"])

    keys = said("SigningKeysSecret")
    assert set(keys) == {"generated"} and re.fullmatch(r"[A-Za-z0-9]{64}", keys["generated"]), "the signing keys"
    admin = said("AdminSecret")
    assert set(admin) == {"password"} and len(admin["password"]) == 32
    variables = stack.lambdas["Migrate"]["Environment"]["Variables"]
    named = [variables[f"ADMIN_{name}"] for name in ("USERNAME", "EMAIL", "PHONE")]
    assert named == ["admin", "admin@example.com", "+254700000001"], named
    owner, application = said("OwnerSecret"), said("ApplicationSecret")
    assert owner["username"] != application["username"] and owner["password"] != application["password"]
    assert owner["dbname"] == application["dbname"] == "microloans"


def check_permissions(stack, owner, application):
    """Each function reads its own secrets, one writes one, and nothing else is allowed."""
    key = f"arn:aws:kms:{REGION}:123456789012:key/{stack.ids['DataKey']}"
    signing, admin = stack.secrets["SigningKeysSecret"], stack.secrets["AdminSecret"]
    read, decrypt = "secretsmanager:GetSecretValue", ("kms:Decrypt", key)
    origin = {(read, stack.secrets["OriginSecretStore"])} if "OriginSecretStore" in stack.secrets else set()
    expected = {name: {(read, application), (read, signing), decrypt} | origin for name in HTTP}
    for name in ["Auth", "Payments"]:
        expected[name] |= {(read, stack.secrets["SealingKeysSecret"])}
    queue = client("sqs").get_queue_attributes(QueueUrl=stack.ids["DeadLetters"], AttributeNames=["QueueArn"])
    sealing = (read, stack.secrets["SealingKeysSecret"])
    expected["Stats"] = {(read, application), sealing, decrypt, ("sqs:SendMessage", queue["Attributes"]["QueueArn"])}
    expected["Migrate"] = {(read, owner), (read, application), (read, admin), decrypt}
    writes = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    expected["Rotate"] = {(action, signing) for action in [read, *writes]} | {decrypt, ("kms:GenerateDataKey", key)}
    assert set(stack.lambdas) == set(expected), set(stack.lambdas) ^ set(expected)
    for function, pairs in expected.items():
        assert stack.allowed(function) == pairs, (function, stack.allowed(function) ^ pairs)
        for statement in stack.statements(function):
            if "kms" in str(statement["Action"]):
                via = statement["Condition"]["StringEquals"]["kms:ViaService"]
                assert via == f"secretsmanager.{REGION}.amazonaws.com", statement


def check_functions(stack):
    secrets = client("secretsmanager")
    said = [secrets.get_secret_value(SecretId=arn)["SecretString"] for arn in stack.secrets.values()]
    # One that is no JSON is the secret itself.
    words = {word for text in said for word in (json.loads(text).values() if text[0] == "{" else [text]) if len(word) > 30}
    for name, function in stack.lambdas.items():
        variables = function["Environment"]["Variables"]
        assert not words & set(variables.values()), f"{name} has a secret in its environment"
        assert not any(value for key, value in variables.items() if key.endswith("_URL")), name
        assert function["Runtime"] == "provided.al2023", (name, function)


def check_network(stack, database, proxied=False, endpoints=True, ipv6=False):
    """The functions reach the database (and its proxy) on one port, and nobody else does."""
    ids = stack.ids
    functions = {name: stack.groups(name) for name in [*HTTP, "Stats"]}
    assert set(map(frozenset, functions.values())) == {frozenset({ids["FunctionSecurityGroup"]})}, functions
    assert stack.groups("Migrate") == {ids["MigrateSecurityGroup"]}
    assert stack.groups("Rotate") == {ids["RotateSecurityGroup"]}
    secrets = (TLS_PORT, ids["EndpointSecurityGroup"] if endpoints else "::/0" if ipv6 else "0.0.0.0/0")
    proxy = {(DATABASE_PORT, ids["ProxySecurityGroup"])} if proxied else set()
    assert stack.goes_out("FunctionSecurityGroup") == {(DATABASE_PORT, database), secrets} | proxy
    storage = {(TLS_PORT, "0.0.0.0/0")} | ({secrets} if ipv6 else set())
    assert stack.goes_out("MigrateSecurityGroup") == {(DATABASE_PORT, database)} | storage
    assert stack.goes_out("RotateSecurityGroup") == {secrets}
    came = {(DATABASE_PORT, ids[f"{name}SecurityGroup"]) for name in ["Function", "Migrate"]} | proxy
    assert stack.comes_in(database) == came, stack.comes_in(database)
    for name in ["FunctionSecurityGroup", "MigrateSecurityGroup", "RotateSecurityGroup"]:
        assert not stack.comes_in(ids[name]), f"{name} lets in"
    if endpoints:
        callers = {ids[name] for name in ["FunctionSecurityGroup", "MigrateSecurityGroup", "RotateSecurityGroup"]}
        assert stack.comes_in(ids["EndpointSecurityGroup"]) == {(TLS_PORT, caller) for caller in callers}
        assert stack.goes_out("EndpointSecurityGroup") == {(1, "127.0.0.1/32")}
    routes = client("ec2").describe_internet_gateways()["InternetGateways"]
    assert not routes, "there is a way to the internet"


def check_database(stack):
    database = client("rds").describe_db_instances(DBInstanceIdentifier="microloans")["DBInstances"][0]
    assert database["StorageEncrypted"] and database["MultiAZ"]
    assert not database["PubliclyAccessible"] and database["BackupRetentionPeriod"] == 14
    # moto leaves these out.
    resource = stack.resources["DatabaseInstance"]
    says = stack.chosen.value(resource["Properties"])
    assert says["DeletionProtection"] == "true" and resource["DeletionPolicy"] == "Snapshot"
    assert says["VPCSecurityGroups"] == [{"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]}]
    pages = client("rds").get_paginator("describe_db_parameters")
    pages = pages.paginate(DBParameterGroupName=stack.ids["DatabaseSettings"])
    settings = {item["ParameterName"]: item["ParameterValue"] for page in pages for item in page["Parameters"]}
    assert settings["rds.force_ssl"] == "1", settings


def check_dashboard(stack):
    body = client("cloudwatch").get_dashboard(DashboardName=f"microloans-{REGION}")["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    assert len(widgets) == 9 and "${" not in body, body


def check_logs(stack):
    groups = [item for item in stack.resources.values() if item["Type"] == "AWS::Logs::LogGroup"]
    made = client("logs").describe_log_groups()["logGroups"]
    assert len(made) == len(groups) == 3 and all(group["retentionInDays"] == 90 for group in made), made
    assert all("KmsKeyId" in group["Properties"] for group in groups)


def new_network_and_database(template):
    stack = Stack(template)
    check_secrets(stack)
    check_permissions(stack, stack.secrets["OwnerSecret"], stack.secrets["ApplicationSecret"])
    check_functions(stack)
    check_network(stack, stack.ids["DatabaseSecurityGroup"])
    assert stack.goes_out("DatabaseSecurityGroup") == {(1, "127.0.0.1/32")}
    check_database(stack)
    check_dashboard(stack)
    check_logs(stack)


def database_behind_a_proxy(template):
    stack = Stack(template, UseDatabaseProxy="true")
    check_network(stack, stack.ids["DatabaseSecurityGroup"], proxied=True)
    assert stack.goes_out("ProxySecurityGroup") == {(DATABASE_PORT, stack.ids["DatabaseSecurityGroup"])}
    assert stack.comes_in(stack.ids["ProxySecurityGroup"]) == {(DATABASE_PORT, stack.ids["FunctionSecurityGroup"])}
    assert stack.lambdas["Loans"]["Environment"]["Variables"]["DATABASE_HOST"] == "DatabaseProxy"


def smallest(template):
    """Nothing that costs by the hour but the database; a way out by IPv6, and none in."""
    stack = Stack(template, Size="small")
    check_permissions(stack, stack.secrets["OwnerSecret"], stack.secrets["ApplicationSecret"])
    check_functions(stack)
    check_network(stack, stack.ids["DatabaseSecurityGroup"], endpoints=False, ipv6=True)
    check_logs(stack)
    for name in stack.lambdas:
        variables = stack.lambdas[name]["Environment"]["Variables"]
        assert variables["OPERATION_METRICS"] == "off", name
    says = stack.chosen.value(stack.resources["DatabaseInstance"]["Properties"])
    assert (says["DBInstanceClass"], says["MultiAZ"]) == ("db.t4g.micro", "false")
    assert not client("cloudwatch").list_dashboards()["DashboardEntries"]
    by_the_hour = {"AWS::EC2::VPCEndpoint": "Interface", "AWS::RDS::DBProxy": None, "AWS::EC2::NatGateway": None}
    for name, resource in template["Resources"].items():
        kind = resource.get("Properties", {}).get("VpcEndpointType")
        if resource["Type"] in by_the_hour and by_the_hour[resource["Type"]] in {None, kind}:
            assert not stack.chosen.holds({"Condition": resource["Condition"]}), f"{name} costs by the hour"
    # What is said by itself wins over the size.
    says = Chosen(template, {"Size": "small", "DatabaseMultiAz": "true", "Endpoints": "new"})
    assert says.value(stack.resources["DatabaseInstance"]["Properties"])["MultiAZ"] == "true"
    assert says.holds({"Condition": "HasNewEndpoints"}) and not says.holds({"Condition": "HasWayByIpv6"})


def largest(template):
    stack = Stack(template, Size="large")
    check_network(stack, stack.ids["DatabaseSecurityGroup"])
    says = stack.chosen.value(stack.resources["DatabaseInstance"]["Properties"])
    assert (says["DBInstanceClass"], says["MultiAZ"]) == ("db.m7g.large", "true")
    check_dashboard(stack)


def behind_a_front(template):
    secret = "a-secret-that-only-the-front-knows"
    stack = Stack(template, OriginSecret=secret)
    check_permissions(stack, stack.secrets["OwnerSecret"], stack.secrets["ApplicationSecret"])
    check_functions(stack)
    for name in HTTP:
        variables = stack.lambdas[name]["Environment"]["Variables"]
        assert variables["ORIGIN_SECRET_ARN"] == stack.secrets["OriginSecretStore"] and not variables["ORIGIN_SECRET"], name


def existing(**parameters):
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:"
    secrets = {"OwnerDatabaseSecretArn": f"{arn}owner", "DatabaseSecretArn": f"{arn}application"}
    return {"Database": "existing"} | secrets | parameters


def existing_network_and_database(template):
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    database = ec2.create_security_group(GroupName="database", Description="database", VpcId=vpc)["GroupId"]
    network = {"Network": "existing", "VpcId": vpc, "SubnetIds": ",".join(subnets), "Endpoints": "existing"}
    parameters = existing(DatabaseSecurityGroupId=database, **network)
    stack = Stack(template, **parameters)
    check_permissions(stack, parameters["OwnerDatabaseSecretArn"], parameters["DatabaseSecretArn"])
    check_network(stack, database, endpoints=False)
    assert set(stack.lambdas["Loans"]["VpcConfig"]["SubnetIds"]) == set(subnets)
    assert not client("rds").describe_db_instances()["DBInstances"]


def no_network(template):
    stack = Stack(template, **existing(Network="none", DatabaseAuthorities="public"))
    for name in [*HTTP, "Stats", "Migrate"]:
        assert stack.lambdas[name]["Environment"]["Variables"]["DATABASE_AUTHORITIES"] == "public", name
    assert not any(stack.groups(name) for name in stack.lambdas)
    made = {vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]}
    assert not made, made


def order(template):
    """What cannot be seen in moto: new code waits for the migrations, and these for their way to the database."""
    resources = template["Resources"]
    for name in [*HTTP, "Stats"]:
        assert resources[f"{name}Function"]["DependsOn"] == "Migration", name
    migration = resources["Migration"]["Properties"]
    assert migration["ServiceToken"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}
    version = migration["Version"]["Ref"]
    assert resources[version]["Type"] == "AWS::Lambda::Version"
    assert resources[version]["Properties"]["FunctionName"] == {"Ref": "MigrateFunction"}
    waits = {reference["Fn::If"][1]["Ref"] for reference in migration["After"]}
    ways = {
        name
        for name, resource in resources.items()
        if resource["Type"] in {"AWS::EC2::VPCEndpoint", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::Route"}
        or resource["Type"] == "AWS::EC2::SubnetCidrBlock"
        or resource["Type"] == "AWS::EC2::SecurityGroupIngress"
        or resource["Type"] == "AWS::SecretsManager::SecretTargetAttachment"
    }
    assert ways <= waits, ways - waits
    assert "Migration" in resources["SigningKeysRotation"]["DependsOn"]
    # A password for the database is in no parameter and no output; the one secret among the parameters is not shown.
    assert [name for name, item in template["Parameters"].items() if item.get("NoEcho")] == ["OriginSecret"]
    # CloudFormation generates a secret anew when what it generates it from changes: no parameter is in that.
    for name, resource in resources.items():
        rule = resource["Properties"].get("GenerateSecretString") if "Properties" in resource else None
        assert rule is None or all(isinstance(part, (str, int, bool)) for part in rule.values()), name


def alarms(template):
    """Every alarm is told and taken back, every function watched, and what a deployment looks at is there."""
    resources = template["Resources"]
    alarms = {name: item["Properties"] for name, item in resources.items() if item["Type"] == "AWS::CloudWatch::Alarm"}
    topic = [{"Ref": "AlarmTopic"}]
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == topic and alarm["AlarmDescription"], name
    functions = {name for name, item in resources.items() if item["Type"] == "AWS::Lambda::Function"}
    for name in ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"]:
        metrics = [metric["MetricStat"]["Metric"] for metric in alarms[name]["Metrics"] if "MetricStat" in metric]
        assert {metric["Dimensions"][0]["Value"]["Ref"] for metric in metrics} == functions, name
    watched = template["Outputs"]["RollbackAlarms"]["Value"]["Fn::Join"][1]
    # CloudFormation looks at five at most.
    assert {item["Fn::GetAtt"][0] for item in watched} <= set(alarms) and 0 < len(watched) <= 5


CHOICES = [
    new_network_and_database,
    smallest,
    largest,
    database_behind_a_proxy,
    behind_a_front,
    existing_network_and_database,
    no_network,
]
template = transformed()
order(template)
alarms(template)
for deploy in CHOICES:
    began = time.monotonic()
    # A resource that moto does not know is a warning.
    with mock_aws(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Tried to parse")
        client("s3").create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
        client("s3").put_object(Bucket="code", Key="function.zip", Body=b"PK\x05\x06" + bytes(18))
        deploy(template)
    print(f"{deploy.__name__.replace('_', ' ')}: deployed and checked in {time.monotonic() - began:.1f} s")
