{{- define "semel.triggers" -}}
{{- $queue := .Values.queue -}}
{{- if eq $queue.kind "rabbitmq" }}
- type: rabbitmq
  metadata:
    protocol: {{ $queue.protocol }}
    mode: QueueLength
    value: {{ include "semel.target" . | quote }}
    queueName: {{ $queue.name | quote }}
    vhostName: {{ $queue.vhost | quote }}
    {{- if not (include "semel.urlKey" .) }}
    host: {{ include "semel.urlForKEDA" (list . "") | quote }}
    {{- end }}
  authenticationRef:
    name: {{ include "semel.name" . | quote }}
{{- else if eq $queue.kind "sqs" }}
- type: aws-sqs-queue
  metadata:
    queueURL: {{ include "semel.sqsURLForKEDA" . | quote }}
    awsRegion: {{ $queue.region | quote }}
    queueLength: {{ include "semel.target" . | quote }}
    # Messages that wait and messages that are held. At most once nothing is held.
    scaleOnInFlight: {{ eq $queue.delivery "at-least-once" | quote }}
    {{- with $queue.endpoint }}
    awsEndpoint: {{ . | quote }}
    {{- end }}
  authenticationRef:
    name: {{ include "semel.name" . | quote }}
{{- else if eq $queue.kind "redis-stream" }}
- type: redis-streams
  metadata:
    address: {{ include "semel.redisAddress" . | quote }}
    stream: {{ $queue.name | quote }}
    # No consumerGroup: the length of the stream is what waits, what is held and what is due later.
    streamLength: {{ include "semel.target" . | quote }}
    databaseIndex: {{ int $queue.database | quote }}
    {{- if .Values.tls.enabled }}
    enableTLS: "true"
    {{- end }}
  {{- if include "semel.needsAuthentication" . }}
  authenticationRef:
    name: {{ include "semel.name" . | quote }}
  {{- end }}
{{- else }}
{{- $lists := list (dict "name" "list" "list" $queue.name) }}
{{- if include "semel.hasLeases" . }}
{{- $lists = prepend $lists (dict "name" "leases" "list" (include "semel.leases" $queue.name)) }}
# KEDA asks them in this order: a claim in between is then counted once less, which the next poll mends; the other
# way round it would be counted twice, and that starts a Job too many.
{{- end }}
{{- range $lists }}
- type: redis
  name: {{ .name }}
  metadata:
    address: {{ include "semel.redisAddress" $ | quote }}
    listName: {{ .list | quote }}
    listLength: {{ include "semel.target" $ | quote }}
    databaseIndex: {{ int $queue.database | quote }}
    {{- if $.Values.tls.enabled }}
    enableTLS: "true"
    {{- end }}
  {{- if include "semel.needsAuthentication" $ }}
  authenticationRef:
    name: {{ include "semel.name" $ | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "semel.redisAddress" -}}
{{- $host := include "semel.hostForKEDA" . -}}
{{ contains ":" $host | ternary (printf "[%s]" $host) $host }}:{{ include "semel.port" . }}
{{- end }}

{{- /* By name KEDA finds a queue of its own account only. */ -}}
{{- define "semel.sqsURLForKEDA" -}}
{{- $queue := .Values.queue -}}
{{- if $queue.account -}}
{{ $queue.endpoint | default (printf "https://sqs.%s.amazonaws.com" $queue.region) | trimSuffix "/" }}/{{ $queue.account }}/{{ $queue.name }}
{{- else -}}
{{ $queue.name }}
{{- end -}}
{{- end }}

{{- /* How many messages to a pod. */ -}}
{{- define "semel.target" -}}
{{ eq (include "semel.isDeployment" .) "yes" | ternary (int .Values.scaling.messagesPerReplica) 1 }}
{{- end }}
