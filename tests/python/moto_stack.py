"""template.yaml as SAM transforms it, deployed into moto's CloudFormation.

moto makes most of the resources. Those it does not know are named below, with what stands in for them; a template with
another one fails. moto plays no network and runs no function.
"""

import ast
import ipaddress
import json
import logging
import os
import pathlib
import re

# The libraries ask for both when they are imported.
os.environ |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}

import boto3
import moto.logs.models  # noqa: F401, moto's CloudFormation makes only what is loaded
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

REGION = os.environ["AWS_DEFAULT_REGION"]
TEMPLATE = pathlib.Path(__file__).resolve().parent.parent.parent / "template.yaml"
REQUIRED = {"AdminEmail": "admin@example.com", "AdminPhone": "+254700000001"}

# Left out: a reference to one of them is its name. What they say is for cfn-lint to check.
UNKNOWN = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SubnetCidrBlock",
    "AWS::EC2::VPCCidrBlock",
    "AWS::EC2::VPCEndpoint",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::RDS::DBProxy",
    "AWS::RDS::DBProxyTargetGroup",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::SNS::Subscription",
    # Made by the function that is not run here.
    "Custom::Migration",
}

logging.getLogger("samtranslator").setLevel(logging.CRITICAL)


def client(service):
    return boto3.client(service, REGION)


class NoManagedPolicies:
    """The policies of AWS that SAM may name by their short names: this template names none."""

    def load(self):
        return {}


def transformed():
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://code/function.zip"
    return transform(template, dict(REQUIRED), NoManagedPolicies())


def secret_text(properties, parameters):
    """What a secret says: a parameter's text, or what CloudFormation generates."""
    if "SecretString" in properties:
        return parameters.get(properties["SecretString"]["Ref"])
    rule = properties["GenerateSecretString"]
    password = client("secretsmanager").get_random_password(
        PasswordLength=rule["PasswordLength"], ExcludePunctuation=rule["ExcludePunctuation"]
    )["RandomPassword"]
    return json.dumps(json.loads(rule["SecretStringTemplate"]) | {rule["GenerateStringKey"]: password})


def resolved(node, values):
    """The functions of CloudFormation that moto has not, and references to what it does not make."""
    if isinstance(node, list):
        return [resolved(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    if "Fn::GetAZs" in node:
        return [f"{REGION}a", f"{REGION}b"]
    if "Fn::Cidr" in node:
        block, count, bits = resolved(node["Fn::Cidr"], values)
        networks = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
        return [str(network) for network, _ in zip(networks, range(int(count)))]
    if node.get("Ref") in values:
        return values[node["Ref"]]
    name = node.get("Fn::GetAtt")
    if name and name[0] in values:
        return values[name[0]]
    if "Fn::Sub" in node:
        text, *variables = [node["Fn::Sub"]] if isinstance(node["Fn::Sub"], str) else node["Fn::Sub"]
        text = re.sub(r"\$\{(\w+)(\.\w+)?\}", lambda found: values.get(found[1], found[0]), text)
        return {"Fn::Sub": [text, *resolved(variables, values)] if variables else text}
    return {key: resolved(value, values) for key, value in node.items()}


class Chosen:
    """What a template says with these parameters: `Fn::If` decided, references to parameters resolved."""

    def __init__(self, template, parameters):
        defaults = {name: item.get("Default") for name, item in template["Parameters"].items()}
        self.conditions, self.parameters = template["Conditions"], defaults | parameters
        self.mappings = template["Mappings"]

    def holds(self, condition):
        ((kind, operands),) = condition.items()
        if kind == "Condition":
            return self.holds(self.conditions[operands])
        if kind == "Fn::Equals":
            first, second = (str(self.value(operand)) for operand in operands)
            return first == second
        return {"Fn::Not": lambda all: not all[0], "Fn::And": all, "Fn::Or": any}[kind](
            [self.holds(operand) for operand in operands]
        )

    def value(self, node):
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value != {"Ref": "AWS::NoValue"}]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            name, yes, no = node["Fn::If"]
            return self.value(yes if self.holds(self.conditions[name]) else no)
        if "Fn::FindInMap" in node:
            name, first, second = self.value(node["Fn::FindInMap"])
            return self.mappings[name][first][second]
        if node.get("Ref") in self.parameters:
            return self.parameters[node["Ref"]]
        return {key: self.value(value) for key, value in node.items()}


class Stack:
    """A stack with these parameters."""

    def __init__(self, template, **parameters):
        template = json.loads(json.dumps(template))
        resources = template["Resources"]
        values = {"VpcCidr": template["Parameters"]["VpcCidr"]["Default"]}
        self.secrets, self.egress = {}, []
        for name, resource in list(resources.items()):
            if resource["Type"] == "AWS::EC2::SecurityGroupEgress":
                self.egress.append(resource)
            if resource["Type"] == "AWS::SecretsManager::Secret":
                values[name] = name
                text = secret_text(resource["Properties"], parameters)
                if text:
                    secret = client("secretsmanager").create_secret(Name=name, SecretString=text)
                    values[name] = self.secrets[name] = secret["ARN"]
            elif resource["Type"] in UNKNOWN:
                values[name] = name
            else:
                continue
            del resources[name]
        for resource in resources.values():
            waits = resource.pop("DependsOn", [])
            waits = [name for name in ([waits] if isinstance(waits, str) else waits) if name in resources]
            if waits:
                resource["DependsOn"] = waits
            if resource["Type"] == "AWS::RDS::DBInstance":
                # moto fails on a group made in the same stack.
                del resource["Properties"]["DBParameterGroupName"]
        template["Resources"] = resolved(resources, values)
        template.pop("Outputs")
        self.resources, self.chosen = resources, Chosen(template, REQUIRED | parameters)
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in (REQUIRED | parameters).items()]
        formation = client("cloudformation")
        formation.create_stack(StackName="microloans", TemplateBody=json.dumps(template), Parameters=given)
        stack = formation.describe_stacks(StackName="microloans")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        summaries = formation.list_stack_resources(StackName="microloans")["StackResourceSummaries"]
        self.ids = {summary["LogicalResourceId"]: summary["PhysicalResourceId"] for summary in summaries}
        for name, resource in resources.items():
            # moto leaves them out.
            for policy in resource.get("Properties", {}).get("ManagedPolicyArns", []):
                if isinstance(policy, dict) and "Ref" in policy:
                    client("iam").attach_role_policy(RoleName=self.ids[name], PolicyArn=self.ids[policy["Ref"]])
        self.lambdas = {
            name.removesuffix("Function"): client("lambda").get_function(FunctionName=self.ids[name])["Configuration"]
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Lambda::Function"
        }

    def statements(self, function):
        """What a function's role allows, but for the policies of AWS."""
        iam, role = client("iam"), self.lambdas[function]["Role"].split("/")[-1]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            # moto writes a document as Python would.
            yield from (ast.literal_eval(document) if isinstance(document, str) else document)["Statement"]
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            yield from document["PolicyVersion"]["Document"]["Statement"]

    def allowed(self, function):
        """Pairs of an action and a resource."""
        as_list = lambda value: [value] if isinstance(value, str) else value
        return {
            (action, resource)
            for statement in self.statements(function)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
            # moto leaves nothing in place of `AWS::NoValue`.
            if resource is not None
        }

    def groups(self, function):
        return set(self.lambdas[function].get("VpcConfig", {}).get("SecurityGroupIds", []))

    def goes_out(self, name):
        """Pairs of a port and a group or a block of addresses, as the template says: moto leaves it out."""
        pairs = set()
        rules = self.chosen.value(self.resources[name]["Properties"]["SecurityGroupEgress"])
        for resource in self.egress:
            of = resource["Properties"]["GroupId"]["Fn::GetAtt"][0]
            if of == name and self.chosen.holds({"Condition": resource["Condition"]}):
                rules.append(resource["Properties"])
        for rule in rules:
            assert rule["IpProtocol"] == "tcp" and rule["FromPort"] == rule["ToPort"], rule
            group = rule.get("DestinationSecurityGroupId")
            group = self.ids[group["Fn::GetAtt"][0]] if isinstance(group, dict) and "Fn::GetAtt" in group else group
            peers = [group, rule.get("CidrIp"), rule.get("CidrIpv6")]
            pairs |= {(rule["FromPort"], peer) for peer in peers if isinstance(peer, str)}
        return pairs

    def comes_in(self, group):
        """Pairs of a port and a group or a block of addresses."""
        found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        pairs = set()
        for rule in found:
            assert rule["IpProtocol"] == "tcp" and rule["FromPort"] == rule["ToPort"], rule
            peers = [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]
            peers += [block["CidrIp"] for block in rule["IpRanges"]]
            pairs |= {(rule["FromPort"], peer) for peer in peers}
        return pairs


