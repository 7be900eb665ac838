"""See scripts/check-manifests."""

import glob
import json
import os
import re
import sys

import kubernetes_validate
import yaml

KUBERNETES = "1.34"
# The fields that KEDA knows; of jobTargetRef, which is a Job's spec, Kubernetes' own schema knows.
TRIGGER = {"type": str, "name": str, "metadata": dict, "authenticationRef": {"name": str, "kind": str}}
KNOWN = {
    "ScaledJob": {
        "pollingInterval": int,
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "successfulJobsHistoryLimit": int,
        "failedJobsHistoryLimit": int,
        "envSourceContainerName": str,
        "rollout": {"strategy": str, "propagationPolicy": str},
        "scalingStrategy": {
            "strategy": str,
            "pendingPodConditions": [str],
            "multipleScalersCalculation": str,
            "customScalingQueueLengthDeduction": int,
            "customScalingRunningJobPercentage": str,
        },
        "triggers": [TRIGGER],
        "jobTargetRef": dict,
    },
    "ScaledObject": {
        "scaleTargetRef": {"name": str},
        "pollingInterval": int,
        "cooldownPeriod": int,
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": dict}},
        "triggers": [TRIGGER],
    },
    "TriggerAuthentication": {
        "secretTargetRef": [{"parameter": str, "name": str, "key": str}],
        "podIdentity": {"provider": str},
    },
}
# What the HTTP add-on knows, from 0.15 on and before 0.14.
ROUTED_SERVICE = {"service": str, "port": int}
ADD_ON = {
    ("http.keda.sh/v1beta1", "InterceptorRoute"): {
        "target": ROUTED_SERVICE,
        "rules": [{"hosts": [str], "paths": [{"value": str}]}],
        "scalingMetric": {
            "concurrency": {"targetValue": int},
            "requestRate": {"targetValue": int, "window": str, "granularity": str},
        },
        "coldStart": {"placeholder": {"response": {"statusCode": int, "headers": dict, "body": str}}},
        "timeouts": {"request": str, "responseHeader": str, "readiness": str},
    },
    ("http.keda.sh/v1alpha1", "HTTPScaledObject"): {
        "hosts": [str],
        "scaleTargetRef": {"apiVersion": str, "kind": str, "name": str, **ROUTED_SERVICE},
        "replicas": {"min": int, "max": int},
        "scaledownPeriod": int,
        "scalingMetric": {"concurrency": {"targetValue": int}},
        "timeouts": {"conditionWait": str, "responseHeader": str},
    },
}
LONGEST_PLACEHOLDER = 32768
METADATA = {
    "external-push": {"scalerAddress", "interceptorRoute"},
    "rabbitmq": {"protocol", "mode", "value", "queueName", "host", "vhostName", "activationValue"},
    "redis": {"address", "listName", "listLength", "databaseIndex", "activationListLength", "enableTLS"},
    "redis-streams": {"address", "stream", "streamLength", "databaseIndex", "enableTLS"},
    "aws-sqs-queue": {"queueURL", "awsRegion", "queueLength", "scaleOnInFlight", "awsEndpoint"},
}
TARGET = {
    "rabbitmq": "value",
    "redis": "listLength",
    "redis-streams": "streamLength",
    "aws-sqs-queue": "queueLength",
}


def unknown(value, known, path):
    if isinstance(known, dict):
        if not isinstance(value, dict):
            yield f"{path}: is no object"
            return
        for key, child in value.items():
            if key in known:
                yield from unknown(child, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: KEDA does not know it"
    elif isinstance(known, list):
        for index, child in enumerate(value):
            yield from unknown(child, known[0], f"{path}.{index}")
    elif not isinstance(value, known) or (known is int and isinstance(value, bool)):
        yield f"{path}: is no {known.__name__}"


def strict(document):
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        yield f"{'.'.join(map(str, getattr(error, 'path', [])))}: {getattr(error, 'message', error)}"[:400]


def trigger_problems(trigger, path):
    metadata = trigger["metadata"]
    known = METADATA.get(trigger["type"])
    if known is None:
        yield f"{path}.type: {trigger['type']} is none that this check knows"
        return
    for key, value in metadata.items():
        if key not in known:
            yield f"{path}.metadata.{key}: KEDA does not know it"
        if not isinstance(value, str):
            yield f"{path}.metadata.{key}: is no text"
    target = TARGET.get(trigger["type"])
    if target and metadata.get(target) != "1":
        yield f'{path}.metadata.{target}: is not "1", one Job for one message'
    if re.search(r"//[^/]*@", json.dumps(metadata)):
        yield f"{path}.metadata: has credentials in it"


def scaled_job(spec):
    strategy = spec.get("scalingStrategy", {}).get("strategy")
    if strategy is not None and strategy not in ("accurate", "eager"):
        yield f"spec.scalingStrategy.strategy: {strategy} is not understood by every version; leave default out"
    if spec.get("rollout") != {"strategy": "gradual"}:
        yield "spec.rollout: only {strategy: gradual} keeps running Jobs and is valid in every version"
    for index, trigger in enumerate(spec["triggers"]):
        yield from trigger_problems(trigger, f"spec.triggers.{index}")
    job = spec["jobTargetRef"]
    pod = job["template"]["spec"]
    if job.get("backoffLimit") != 0 or pod.get("restartPolicy") != "Never":
        yield "spec.jobTargetRef: backoffLimit 0 and restartPolicy Never: the queue repeats, nobody else"
    if "activeDeadlineSeconds" in job:
        yield "spec.jobTargetRef.activeDeadlineSeconds: ends a task without settling its message"
    for problem in strict({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, "spec": job}):
        yield f"spec.jobTargetRef: {problem}"
    yield from restricted(pod)


def scaled_object(spec):
    for index, trigger in enumerate(spec["triggers"]):
        yield from trigger_problems(trigger, f"spec.triggers.{index}")
    # What KEDA hands on to the autoscaler, which has a schema.
    autoscaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", **spec["scaleTargetRef"]},
        "maxReplicas": spec["maxReplicaCount"],
        "behavior": spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {}),
    }
    document = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hpa"},
        "spec": autoscaler,
    }
    for problem in strict(document):
        yield f"spec.advanced: {problem}"


def deployment(spec, sleeps):
    if sleeps and spec.get("replicas") != 0:
        yield "spec.replicas: is not 0; without a request there is none"
    if not sleeps and "replicas" in spec:
        yield "spec.replicas: is KEDA's to say"
    yield from restricted(spec["template"]["spec"])


def routed(document):
    """What has no schema here: an object of the HTTP add-on's."""
    known = ADD_ON.get((document["apiVersion"], document.get("kind")))
    if known is None:
        yield "is no kind that the HTTP add-on knows"
        return
    spec = document["spec"]
    yield from unknown(spec, known, "spec")
    if not (spec.get("hosts") or all(rule.get("hosts") for rule in spec.get("rules") or [{}])):
        yield "spec: without hosts it takes the requests of everybody else"
    body = spec.get("coldStart", {}).get("placeholder", {}).get("response", {}).get("body", "")
    if len(body) > LONGEST_PLACEHOLDER:
        yield f"spec.coldStart.placeholder.response.body: is longer than {LONGEST_PLACEHOLDER} characters"


def restricted(pod):
    """The pod security profile of this name, as far as a manifest can tell."""
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True:
        yield "securityContext.runAsNonRoot: is not true"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "securityContext.seccompProfile: is not RuntimeDefault"
    for container in pod.get("initContainers", []) + pod["containers"]:
        own = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        for key, value in wanted.items():
            if own.get(key) != value:
                yield f"{container['name']}.securityContext.{key}: is not {json.dumps(value)}"
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            yield f"volumes.{volume['name']}: hostPath"


def problems(document, scaled):
    """Of an object; `scaled` are the Deployments that KEDA scales by name, and whether requests wake them up."""
    kind = document.get("kind")
    if str(document.get("apiVersion")).startswith("keda.sh/"):
        if kind not in KNOWN or document["apiVersion"] != "keda.sh/v1alpha1":
            yield "is no kind that KEDA knows"
            return
        for key in document.keys() - {"apiVersion", "kind", "metadata", "spec"}:
            yield f"{key}: unknown"
        yield from unknown(document["spec"], KNOWN[kind], "spec")
        if kind == "ScaledJob":
            yield from scaled_job(document["spec"])
        if kind == "ScaledObject":
            yield from scaled_object(document["spec"])
    elif str(document.get("apiVersion")).startswith("http.keda.sh/"):
        yield from routed(document)
    else:
        yield from strict(document)
        name = document["metadata"]["name"]
        if kind == "Deployment" and name in scaled:
            yield from deployment(document["spec"], scaled[name])


def files(path):
    if os.path.isdir(path):
        return sorted(glob.glob(os.path.join(path, "**", "*.yaml"), recursive=True))
    return [path]


def read(path):
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    # Kustomize's own files: it reads them itself.
    return [item for item in documents if isinstance(item, dict) and item.get("kind", "Kustomization") != "Kustomization"]


def main(paths):
    objects = [(file, document) for given in paths for file in files(given) for document in read(file)]
    # By directory: each is a release of its own.
    scaled = {}
    for path, document in objects:
        if document["kind"] in ("ScaledObject", "HTTPScaledObject"):
            spec = document["spec"]
            sleeps = all(trigger["type"] == "external-push" for trigger in spec.get("triggers", []))
            scaled.setdefault(os.path.dirname(path), {})[spec["scaleTargetRef"]["name"]] = sleeps
    found = 0
    for path, document in objects:
        for problem in problems(document, scaled.get(os.path.dirname(path), {})):
            found += 1
            print(f"{path}: {document['kind']}/{document.get('metadata', {}).get('name')}: {problem}")
    print(f"{len(objects)} objects checked, {found} problems")
    return 1 if found else 0 if objects else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
