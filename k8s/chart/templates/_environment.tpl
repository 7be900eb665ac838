{{- /* How the worker learns which queue is its own, and who it is there. */ -}}
{{- define "semel.queueEnvironment" -}}
{{- $queue := .Values.queue -}}
{{- if eq $queue.kind "sqs" -}}
- {name: AWS_REGION, value: {{ $queue.region | quote }}}
{{- if include "semel.hasAuth" . }}
{{- range $name, $key := dict "AWS_ACCESS_KEY_ID" (include "semel.usernameKey" .) "AWS_SECRET_ACCESS_KEY" (include "semel.passwordKey" .) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ include "semel.secret" $ | quote }}, key: {{ $key | quote }}}
{{- end }}
{{- end }}
- {name: SEMEL_QUEUE, value: {{ include "semel.sqsURL" . | quote }}}
{{- else if .Values.tls.enabled -}}
{{- include "semel.tlsEnvironment" . }}
{{- else -}}
{{- $rabbitMQ := eq $queue.kind "rabbitmq" -}}
{{- $prefix := $rabbitMQ | ternary "MQ" "REDIS" -}}
- {name: {{ $prefix }}_HOST, value: {{ $queue.host | quote }}}
- {name: {{ $prefix }}_PORT, value: {{ include "semel.port" . | quote }}}
{{- if $rabbitMQ }}
- {name: MQ_VHOST, value: {{ include "semel.literal" $queue.vhost }}}
- {name: MQ_QUEUE, value: {{ include "semel.literal" $queue.name }}}
{{- else }}
- {name: {{ eq $queue.kind "redis-stream" | ternary "REDIS_STREAM" "REDIS_LIST" }}, value: {{ include "semel.literal" $queue.name }}}
{{- if eq $queue.kind "redis-stream" }}
- {name: REDIS_GROUP, value: {{ include "semel.literal" $queue.group }}}
{{- end }}
- {name: REDIS_DATABASE, value: {{ int $queue.database | quote }}}
{{- end }}
{{- if include "semel.hasAuth" . }}
{{- with include "semel.usernameKey" . }}
- name: {{ $rabbitMQ | ternary "MQ_USERNAME" "REDIS_USER" }}
  valueFrom:
    secretKeyRef: {name: {{ include "semel.secret" $ | quote }}, key: {{ . | quote }}}
{{- end }}
- name: {{ $prefix }}_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "semel.secret" . | quote }}, key: {{ include "semel.passwordKey" . | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "semel.sqsURL" -}}
{{- $queue := .Values.queue -}}
sqs://{{ $queue.region }}/{{ with $queue.account }}{{ . }}/{{ end }}{{ $queue.name }}{{ with $queue.endpoint }}?endpoint={{ include "semel.encode" . }}{{ end }}
{{- end }}

{{- /* A URL, put together by the kubelet; its parts are percent-encoded. The password is in a file. */ -}}
{{- define "semel.tlsEnvironment" -}}
{{- $queue := .Values.queue -}}
{{- $rabbitMQ := eq $queue.kind "rabbitmq" -}}
{{- $name := $rabbitMQ | ternary "queue" (eq $queue.kind "redis-stream" | ternary "stream" "list") -}}
{{- $files := "/etc/semel/tls/" -}}
- {name: QUEUE_HOST, value: {{ contains ":" $queue.host | ternary (printf "[%s]" $queue.host) $queue.host | quote }}}
- {name: QUEUE_PORT, value: {{ include "semel.port" . | quote }}}
{{- if $rabbitMQ }}
- {name: QUEUE_VHOST, value: {{ include "semel.encode" $queue.vhost | quote }}}
{{- else }}
- {name: QUEUE_DATABASE, value: {{ int $queue.database | quote }}}
{{- end }}
- {name: QUEUE_NAME, value: {{ include "semel.encode" $queue.name | quote }}}
{{- with .Values.auth.username }}
- {name: QUEUE_USERNAME, value: {{ include "semel.encode" . | quote }}}
{{- end }}
- name: SEMEL_QUEUE
  value: "{{ $rabbitMQ | ternary "amqps" "rediss" }}://{{ if .Values.auth.username }}$(QUEUE_USERNAME)@{{ end }}$(QUEUE_HOST):$(QUEUE_PORT)/$({{ $rabbitMQ | ternary "QUEUE_VHOST" "QUEUE_DATABASE" }})?{{ $name }}=$(QUEUE_NAME)
  {{- if eq $queue.kind "redis-stream" }}&group={{ include "semel.encode" $queue.group }}{{ end }}
  {{- if .Values.tls.secret }}&cacert={{ $files }}{{ .Values.tls.keys.ca }}{{ end }}
  {{- if .Values.tls.clientCertificate }}&cert={{ $files }}{{ .Values.tls.keys.cert }}&key={{ $files }}{{ .Values.tls.keys.key }}{{ end }}
  {{- if include "semel.hasAuth" . }}&passwordFile=/etc/semel/queue/password{{ end }}"
{{- end }}
