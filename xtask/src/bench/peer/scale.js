// The 500 resources of the benchmark `scale`, written for the AWS CDK: copies of a table, a queue, and a function with
// its role, log group and event source. The code is named and not packed, which is in the CDK's favour.
const { App, Stack } = require("aws-cdk-lib");
const dynamodb = require("aws-cdk-lib/aws-dynamodb");
const lambda = require("aws-cdk-lib/aws-lambda");
const { SqsEventSource } = require("aws-cdk-lib/aws-lambda-event-sources");
const logs = require("aws-cdk-lib/aws-logs");
const s3 = require("aws-cdk-lib/aws-s3");
const sqs = require("aws-cdk-lib/aws-sqs");

const stack = new Stack(new App({ analyticsReporting: false }), "scale");
const code = lambda.Code.fromBucket(s3.Bucket.fromBucketName(stack, "Artifacts", "artifacts"), "fulfil.zip");
const table = (id) =>
  new dynamodb.Table(stack, id, {
    partitionKey: { name: "id", type: dynamodb.AttributeType.STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
  });

const PER_COPY = 7;
for (let copy = 0; copy < Math.floor(500 / PER_COPY); copy++) {
  const orders = table(`Table${copy}`);
  const queue = new sqs.Queue(stack, `Queue${copy}`, { encryption: sqs.QueueEncryption.SQS_MANAGED });
  const fulfil = new lambda.Function(stack, `Fulfil${copy}`, {
    architecture: lambda.Architecture.ARM_64,
    code,
    environment: { TABLE_NAME: orders.tableName },
    handler: "bootstrap",
    logGroup: new logs.LogGroup(stack, `Logs${copy}`, { retention: logs.RetentionDays.TWO_WEEKS }),
    runtime: lambda.Runtime.PROVIDED_AL2023,
  });
  orders.grant(fulfil, "dynamodb:PutItem", "dynamodb:GetItem");
  fulfil.addEventSource(new SqsEventSource(queue, { batchSize: 10 }));
}
for (let rest = 0; rest < 500 % PER_COPY; rest++) {
  table(`Rest${rest}`);
}
