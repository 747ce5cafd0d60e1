"""`.ci/deploy` against moto: an upgrade, one whose API does not serve, an unknown parameter, a hidden one; and the
removal of the stack with its protected database.

The stack is a small one: moto transforms no SAM template (`stack.py` does), and knows no rollback by alarm. `cargo
xtask templates` runs it.
"""

import logging
import os
import pathlib
import subprocess
import sys
import tempfile

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)

root = pathlib.Path(__file__).resolve().parent.parent.parent
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
os.environ |= {
    "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "SAM_CLI_TELEMETRY": "0",
}

import boto3

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Colour: {{Type: String}}
  Size: {{Type: String, Default: small}}
  Word: {{Type: String, Default: none, NoEcho: true, AllowedPattern: "[a-z]+"}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      Tags: [{{Key: colour, Value: !Ref Colour}}, {{Key: size, Value: !Ref Size}}, {{Key: word, Value: !Ref Word}}]
  {extra}
Outputs:
  GatewayUrl: {{Value: http://127.0.0.1:9}}
  ApiUrl: {{Value: http://127.0.0.1:9}}
  RollbackAlarms: {{Value: "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors"}}
"""
DATABASE = """
  DatabaseInstance:
    Type: AWS::RDS::DBInstance
    Properties:
      {DBInstanceIdentifier: small, Engine: postgres, DBInstanceClass: db.t4g.micro, AllocatedStorage: 20,
       DeletionProtection: true, MasterUsername: owner, MasterUserPassword: a-long-password}
"""
TOPIC = "Topic: {Type: AWS::SNS::Topic}"
formation = boto3.client("cloudformation")
boto3.client("s3").create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def deploy(extra, *more, serves=True):
    with tempfile.TemporaryDirectory() as folder:
        template = pathlib.Path(folder) / "template.yaml"
        template.write_text(TEMPLATE.format(extra=extra))
        smoke = "/bin/true" if serves else "/bin/false"
        command = [sys.executable, root / ".ci/deploy", "--stack", "small", "--bucket", "code", "--smoke", smoke]
        done = subprocess.run([*command, "--template", template, *more], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def resources():
    summaries = formation.list_stack_resources(StackName="small")["StackResourceSummaries"]
    return {summary["LogicalResourceId"] for summary in summaries}


def parameters():
    return {
        item["ParameterKey"]: item["ParameterValue"]
        for item in formation.describe_stacks(StackName="small")["Stacks"][0]["Parameters"]
    }


# Not by a change set, as `.ci/deploy` would: moto gives the stack no outputs then.
given = [{"ParameterKey": key, "ParameterValue": value} for key, value in {"Colour": "red", "Word": "hush"}.items()]
formation.create_stack(StackName="small", TemplateBody=TEMPLATE.format(extra=""), Parameters=given)
assert resources() == {"Queue"} and parameters() == {"Colour": "red", "Size": "small", "Word": "hush"}, parameters()

code, said = deploy(TOPIC, "Size=large")
assert code == 0 and resources() == {"Queue", "Topic"}, said
assert parameters() == {"Colour": "red", "Size": "large", "Word": "hush"}, parameters()

code, said = deploy("", "Colour=blue", "Word=loud", serves=False)
assert code != 0 and "putting back" in said, said
assert resources() == {"Queue", "Topic"}, resources()
# What the word was before is not shown outside of moto, so that it cannot come back.
assert parameters() == {"Colour": "red", "Size": "large", "Word": "loud"}, parameters()

code, said = deploy("", "Shape=round")
assert code != 0 and "no parameter Shape" in said and resources() == {"Queue", "Topic"}, said
databases = boto3.client("rds")
code, said = deploy(DATABASE)
assert code == 0 and databases.describe_db_instances()["DBInstances"], said
databases.modify_db_instance(DBInstanceIdentifier="small", DeletionProtection=True)
code, said = deploy("", "--remove", "large")
assert code != 0 and "nothing is removed" in said and databases.describe_db_instances()["DBInstances"], said
code, said = deploy("", "--remove", "small")
assert code == 0 and "s3://code/small/" in said and not databases.describe_db_instances()["DBInstances"], said
assert "StackId" not in str(formation.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])), said
code, said = deploy("", "--remove", "small")
assert code != 0 and "there is no stack small" in said, said
server.stop()
print("upgrade, way back, unknown parameter, hidden parameter, removal: as they should be")
