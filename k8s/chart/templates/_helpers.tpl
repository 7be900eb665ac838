{{- define "semel.name" -}}
{{- .Release.Name | trunc 50 | trimAll "-." -}}
{{- end }}

{{- define "semel.selector" -}}
app.kubernetes.io/name: semel
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "semel.image" -}}
{{- $image := index . 0 -}}
{{- $root := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "semel.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "semel.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "semel.port" -}}
{{ .Values.queue.port | default (get (dict "rabbitmq" (.Values.tls.enabled | ternary 5671 5672) "sqs" 443) .Values.queue.kind | default 6379) | int }}
{{- end }}

{{- define "semel.secret" -}}
{{ .Values.auth.existingSecret | default (printf "%s-queue" (include "semel.name" .)) }}
{{- end }}

{{- /* A Deployment of long-lived workers instead of a Job for each message. */ -}}
{{- define "semel.isDeployment" -}}
{{- if eq .Values.scaling.kind "deployment" }}yes{{ end -}}
{{- end }}

{{- define "semel.maxMessages" -}}
{{ eq (include "semel.isDeployment" .) "yes" | ternary 0 (int .Values.worker.maxMessages) }}
{{- end }}

{{- /*
A message of SQS that rests before its next attempt is in flight to SQS, so KEDA has a Job started for it: one that waits
for a minute is better than six that wait for ten seconds.
*/ -}}
{{- define "semel.wait" -}}
{{ .Values.worker.wait | default (eq (include "semel.isDeployment" .) "yes" | ternary "forever" (eq .Values.queue.kind "sqs" | ternary "1m" "10s")) }}
{{- end }}

{{- define "semel.onTerm" -}}
{{ .Values.worker.onTerm | default (eq (include "semel.isDeployment" .) "yes" | ternary "finish" "stop") }}
{{- end }}

{{- /* Whether there are credentials at all: a Redis may have none. */ -}}
{{- define "semel.hasAuth" -}}
{{- if or .Values.auth.existingSecret .Values.auth.username .Values.auth.password }}yes{{ end -}}
{{- end }}

{{- /* Whether KEDA is told something that is in a TriggerAuthentication. */ -}}
{{- define "semel.needsAuthentication" -}}
{{- if or (include "semel.hasAuth" .) .Values.auth.podIdentity .Values.tls.secret }}yes{{ end -}}
{{- end }}

{{- define "semel.ownsSecret" -}}
{{- if and (include "semel.hasAuth" .) (not .Values.auth.existingSecret) }}yes{{ end -}}
{{- end }}

{{- /* The Secret with the word that turns TLS on in KEDA's RabbitMQ scaler: it takes it from nowhere else. */ -}}
{{- define "semel.kedaTLS" -}}
{{ include "semel.ownsSecret" . | empty | ternary (printf "%s-keda-tls" (include "semel.name" .)) (include "semel.secret" .) }}
{{- end }}

{{- /* The Secret's key of the user's name, or nothing. */ -}}
{{- define "semel.usernameKey" -}}
{{- if eq .Values.queue.kind "sqs" -}}
{{ ternary ((.Values.auth.keys).username | default "AWS_ACCESS_KEY_ID") "AWS_ACCESS_KEY_ID" (ne .Values.auth.existingSecret "") }}
{{- else if eq .Values.queue.kind "rabbitmq" -}}
{{ ternary ((.Values.auth.keys).username | default "username") "username" (ne .Values.auth.existingSecret "") }}
{{- else if .Values.auth.existingSecret -}}
{{ (.Values.auth.keys).username }}
{{- else if .Values.auth.username -}}
username
{{- end -}}
{{- end }}

{{- define "semel.passwordKey" -}}
{{- $standard := eq .Values.queue.kind "sqs" | ternary "AWS_SECRET_ACCESS_KEY" "password" -}}
{{ ternary ((.Values.auth.keys).password | default $standard) $standard (ne .Values.auth.existingSecret "") }}
{{- end }}

{{- /* The Secret's key of KEDA's URL; nothing: KEDA gets user and password apart. */ -}}
{{- define "semel.urlKey" -}}
{{- if include "semel.hasAuth" . -}}
{{ ternary ((.Values.auth.keys).url | default "") "url" (ne .Values.auth.existingSecret "") }}
{{- end -}}
{{- end }}

{{- /* KEDA lives in another namespace: a name that only this one understands gets the rest. */ -}}
{{- define "semel.hostForKEDA" -}}
{{- $host := .Values.queue.host -}}
{{- if or (contains "." $host) (contains ":" $host) -}}
{{ $host }}
{{- else -}}
{{ $host }}.{{ .Release.Namespace }}.svc
{{- end -}}
{{- end }}

{{- /* As it is, in a container's environment: the kubelet takes $(NAME) for a variable, and KEDA does not. */ -}}
{{- define "semel.literal" -}}
{{ . | replace "$" "$$" | quote }}
{{- end }}

{{- define "semel.encode" -}}
{{ . | urlquery | replace "+" "%20" }}
{{- end }}

{{- /*
The URL for KEDA, without credentials ("") or with "user:password@". The vhost is in the trigger: with http some versions
decode a URL's path before they cut it at its slashes.
*/ -}}
{{- define "semel.urlForKEDA" -}}
{{- $root := index . 0 -}}
{{- $queue := $root.Values.queue -}}
{{- $port := ternary ($queue.managementPort | int) (include "semel.port" $root | int) (eq $queue.protocol "http") -}}
{{- $host := include "semel.hostForKEDA" $root -}}
{{ $queue.protocol }}{{ $root.Values.tls.enabled | ternary "s" "" }}://{{ index . 1 }}{{ contains ":" $host | ternary (printf "[%s]" $host) $host }}:{{ $port }}
{{- end }}

{{- /* The sorted set beside a Redis list, as semel names it: a hash tag of the list's own is kept. */ -}}
{{- define "semel.leases" -}}
{{- if regexMatch "^[^{]*\\{[^}]+\\}" . -}}
{{ . }}:leases
{{- else -}}
{{ printf "{%s}:leases" . }}
{{- end -}}
{{- end }}

{{- /*
What the queue's count is, and so which strategy and linger go with it:
ready       waiting messages only: accurate, and a Job is pending until its worker has claimed a message
ready+held  claimed messages as well: the default strategy, messages minus Jobs
*/ -}}
{{- define "semel.count" -}}
{{- $queue := .Values.queue -}}
{{- if eq $queue.delivery "at-most-once" -}}
ready
{{- else if ne $queue.kind "rabbitmq" -}}
ready+held
{{- else -}}
{{ eq $queue.protocol "http" | ternary "ready+held" "ready" }}
{{- end -}}
{{- end }}

{{- define "semel.strategy" -}}
{{- if ne .Values.scaling.strategy "auto" -}}
{{ .Values.scaling.strategy }}
{{- else -}}
{{ eq (include "semel.count" .) "ready" | ternary "accurate" "default" }}
{{- end -}}
{{- end }}

{{- define "semel.pendingPodConditions" -}}
{{- $conditions := .Values.scaling.pendingPodConditions -}}
{{- if not (kindIs "string" $conditions) -}}
{{ $conditions | toJson }}
{{- else if eq (include "semel.strategy" .) "default" -}}
[]
{{- else -}}
["Ready"]
{{- end -}}
{{- end }}

{{- define "semel.hasLeases" -}}
{{- if and (eq .Values.queue.kind "redis") (eq .Values.queue.delivery "at-least-once") }}yes{{ end -}}
{{- end }}

{{- define "semel.linger" -}}
{{- $late := and (eq .Values.queue.kind "rabbitmq") (eq .Values.queue.protocol "http") -}}
{{ .Values.worker.linger | default ($late | ternary "10s" "0s") }}
{{- end }}

{{- /* RabbitMQ takes a message back that is not acknowledged within 30 minutes, SQS after 12 hours. */ -}}
{{- define "semel.timeout" -}}
{{- $limits := dict "rabbitmq" "25m" "sqs" "11h" -}}
{{- $isHeld := eq .Values.queue.delivery "at-least-once" -}}
{{ .Values.worker.timeout | default ($isHeld | ternary (get $limits .Values.queue.kind) "") | default "24h" }}
{{- end }}

{{- /* A duration in whole seconds, rounded up. */ -}}
{{- define "semel.seconds" -}}
{{- if hasSuffix "ms" . -}}
{{ divf (trimSuffix "ms" . | float64) 1000 | ceil | int }}
{{- else if hasSuffix "s" . -}}
{{ trimSuffix "s" . | float64 | ceil | int }}
{{- else if hasSuffix "m" . -}}
{{ mulf (trimSuffix "m" . | float64) 60 | ceil | int }}
{{- else if hasSuffix "h" . -}}
{{ mulf (trimSuffix "h" . | float64) 3600 | ceil | int }}
{{- else -}}
0
{{- end -}}
{{- end }}

{{- /*
Long enough that the kubelet's SIGKILL never comes before semel is through: the task's grace (with onTerm finish a few
seconds more, for a task that has to be stopped after all), its end, and the settlement, which has at least 20 seconds.
*/ -}}
{{- define "semel.neededGraceSeconds" -}}
{{- $grace := include "semel.seconds" .Values.worker.grace | int -}}
{{ add $grace (max $grace 20) (eq (include "semel.onTerm" .) "finish" | ternary 5 0) 10 }}
{{- end }}

{{- define "semel.terminationGracePeriodSeconds" -}}
{{ .Values.terminationGracePeriodSeconds | default (include "semel.neededGraceSeconds" .) | int }}
{{- end }}

{{- /* What values.schema.json cannot say in a line that people understand. */ -}}
{{- define "semel.check" -}}
{{- $values := .Values -}}
{{- $queue := $values.queue -}}
{{- $auth := $values.auth -}}
{{- $tls := $values.tls -}}
{{- $isRedis := has $queue.kind (list "redis" "redis-stream") -}}
{{- if and (eq $queue.kind "rabbitmq") (not $auth.existingSecret) (not (and $auth.username $auth.password)) (not $tls.clientCertificate) -}}
{{- fail "auth: RabbitMQ needs auth.username and auth.password, or auth.existingSecret" -}}
{{- end -}}
{{- if and (eq $queue.kind "sqs") (not $auth.podIdentity) (not $auth.existingSecret) (not (and $auth.username $auth.password)) -}}
{{- fail "auth: SQS needs auth.podIdentity, or auth.username and auth.password (an access key), or auth.existingSecret" -}}
{{- end -}}
{{- if and $auth.podIdentity (ne $queue.kind "sqs") -}}
{{- fail "auth.podIdentity: is for sqs" -}}
{{- end -}}
{{- if and $auth.podIdentity (or $auth.username $auth.password $auth.existingSecret) -}}
{{- fail "auth.podIdentity: takes the place of auth.username, auth.password and auth.existingSecret" -}}
{{- end -}}
{{- if and $auth.username (not $auth.password) (not $auth.existingSecret) -}}
{{- fail "auth.password: is missing beside auth.username" -}}
{{- end -}}
{{- if and $tls.enabled (eq $queue.kind "sqs") -}}
{{- fail "tls.enabled: SQS is always asked over TLS; leave it out" -}}
{{- end -}}
{{- if and (not $tls.enabled) (or $tls.secret $tls.clientCertificate) -}}
{{- fail "tls.secret, tls.clientCertificate: have no effect without tls.enabled" -}}
{{- end -}}
{{- if and $tls.clientCertificate (not $tls.secret) -}}
{{- fail "tls.clientCertificate: needs tls.secret, which has it" -}}
{{- end -}}
{{- if and $tls.enabled (eq $queue.kind "rabbitmq") $auth.existingSecret (not $auth.username) -}}
{{- fail "auth.username: is needed beside auth.existingSecret with tls.enabled: only the password is read from a file" -}}
{{- end -}}
{{- if and (eq $queue.kind "sqs") (not $queue.region) -}}
{{- fail "queue.region: is missing; SQS has its queues by region" -}}
{{- end -}}
{{- if and (ne $queue.kind "sqs") (or $queue.region $queue.account $queue.endpoint) -}}
{{- fail "queue.region, queue.account, queue.endpoint: are for sqs" -}}
{{- end -}}
{{- if and (ne $queue.kind "redis-stream") (ne $queue.group "semel") -}}
{{- fail "queue.group: is for redis-stream" -}}
{{- end -}}
{{- if and (ne $queue.kind "rabbitmq") (eq $queue.protocol "http") -}}
{{- fail (printf "queue.protocol: http is RabbitMQ's; leave it out for %s" $queue.kind) -}}
{{- end -}}
{{- if and (ne $queue.kind "rabbitmq") (ne $queue.vhost "/") -}}
{{- fail (printf "queue.vhost: is RabbitMQ's; leave it out for %s" $queue.kind) -}}
{{- end -}}
{{- if and (not $isRedis) (ne (int $queue.database) 0) -}}
{{- fail (printf "queue.database: is Redis'; leave it out for %s" $queue.kind) -}}
{{- end -}}
{{- if include "semel.isDeployment" . -}}
{{- if ne (int $values.worker.maxMessages) 1 -}}
{{- fail "worker.maxMessages: a worker of a Deployment lives until it is stopped; leave it out with scaling.kind deployment" -}}
{{- end -}}
{{- if eq $queue.kind "redis" -}}
{{- fail "scaling.kind: a Redis list and its leases are two triggers, of which a Deployment's autoscaler takes the larger, not the sum; use redis-stream, or job" -}}
{{- end -}}
{{- if eq (include "semel.count" .) "ready" -}}
{{- fail "scaling.kind: a Deployment needs a count of the messages that are held, too, or pods are stopped as soon as none waits: queue.protocol http, queue.delivery at-least-once; or job" -}}
{{- end -}}
{{- if or (ne $values.scaling.strategy "auto") (not (kindIs "string" $values.scaling.pendingPodConditions)) -}}
{{- fail "scaling.strategy, scaling.pendingPodConditions: are a ScaledJob's; leave them out with scaling.kind deployment" -}}
{{- end -}}
{{- if gt (int $values.scaling.minReplicaCount) (int $values.scaling.maxReplicaCount) -}}
{{- fail "scaling.minReplicaCount: is more than scaling.maxReplicaCount" -}}
{{- end -}}
{{- else if or (ne (int $values.scaling.minReplicaCount) 0) (ne (int $values.scaling.messagesPerReplica) 1) -}}
{{- fail "scaling.minReplicaCount, scaling.messagesPerReplica: are a Deployment's (scaling.kind)" -}}
{{- else if lt (int $values.worker.maxMessages) 1 -}}
{{- fail "worker.maxMessages: a Job of a long-lived worker never ends; 1 or more, or scaling.kind deployment" -}}
{{- end -}}
{{- if and (eq $queue.protocol "http") (or (contains " " $queue.name) (contains " " $queue.vhost)) -}}
{{- fail "queue.protocol: http finds no queue.name and no queue.vhost with a space in it (KEDA writes it as a plus, the management plugin takes that for one); use amqp" -}}
{{- end -}}
{{- if and (eq $queue.protocol "http") (eq $queue.delivery "at-most-once") -}}
{{- fail "queue.protocol: http counts late, and with queue.delivery at-most-once nothing makes up for it; use amqp" -}}
{{- end -}}
{{- $ends := splitList ".." $values.worker.retryDelay -}}
{{- $first := include "semel.seconds" (first $ends) | int -}}
{{- $last := include "semel.seconds" (last $ends) | int -}}
{{- if or (gt $first $last) (gt $last 86400) -}}
{{- fail "worker.retryDelay: MIN..MAX, the smaller first, 24h at the most" -}}
{{- end -}}
{{- if and (include "semel.hasLeases" .) (eq (include "semel.seconds" (include "semel.wait" .) | int) 0) -}}
{{- fail "worker.wait: 0 does not wait for leases either; KEDA would start Jobs for them until they end" -}}
{{- end -}}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" -}}
{{- if or (hasKey $values.labels .) (hasKey $values.podLabels .) -}}
{{- fail (printf "labels, podLabels: %s is set by the chart" .) -}}
{{- end -}}
{{- end -}}
{{- if and (ne $queue.kind "rabbitmq") (eq $values.worker.deadLetter "broker") -}}
{{- fail (printf "worker.deadLetter: broker is RabbitMQ's; use queue for %s" $queue.kind) -}}
{{- end -}}
{{- if not (or $values.image.tag $values.image.digest (eq (base $values.image.repository) "semel-runtime")) -}}
{{- fail (printf "image.tag: which %s? Name a tag or a digest" $values.image.repository) -}}
{{- end -}}
{{- if and $values.inject.enabled (not $values.command) -}}
{{- fail "command: has to be named with inject.enabled; the image's own is not known here" -}}
{{- end -}}
{{- range $values.env -}}
{{- if or (hasPrefix "SEMEL_" .name) (has .name (list "MQ_HOST" "MQ_PORT" "MQ_VHOST" "MQ_QUEUE" "MQ_USERNAME" "MQ_PASSWORD" "REDIS_HOST" "REDIS_PORT" "REDIS_LIST" "REDIS_STREAM" "REDIS_GROUP" "REDIS_DATABASE" "REDIS_USER" "REDIS_PASSWORD" "AWS_REGION" "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY")) -}}
{{- fail (printf "env: %s is set by the chart; use the values under worker, queue and auth" .name) -}}
{{- end -}}
{{- end -}}
{{- end }}
