"""Deploys a stack with botocore whose gateway believes a parameter's value, then moves the parameter on.

    python stack.py http://127.0.0.1:PORT TEMPLATE

Writes one JSON line: {"old": POOL, "new": POOL, "client": CLIENT}. Credentials are the emulator's own, public ones.
"""

import json
import sys

import botocore.session

session = botocore.session.get_session()


def client(service):
    return session.create_client(
        service, region_name="us-east-1", endpoint_url=sys.argv[1],
        aws_access_key_id="test", aws_secret_access_key="test",
    )


pools, parameters, stacks = client("cognito-idp"), client("ssm"), client("cloudformation")
old, new = (pools.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("old", "new"))
app = pools.create_user_pool_client(UserPoolId=new, ClientName="app")["UserPoolClient"]["ClientId"]
parameters.put_parameter(Name="/auth/user-pool-id", Value=old, Type="String")
with open(sys.argv[2], encoding="utf-8") as template:
    stacks.create_stack(StackName="memories", TemplateBody=template.read())
stacks.get_waiter("stack_create_complete").wait(StackName="memories", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
parameters.put_parameter(Name="/auth/user-pool-id", Value=new, Type="String", Overwrite=True)
print(json.dumps({"old": old, "new": new, "client": app}), flush=True)
