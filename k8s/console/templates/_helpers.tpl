{{- define "console.name" -}}
{{- .Release.Name | trunc 50 | trimAll "-." -}}
{{- end }}

{{- define "console.selector" -}}
app.kubernetes.io/name: semel-console
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "console.labels" -}}
{{ include "console.selector" . }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* What every object begins with, behind its name. (list ROOT NAME) */ -}}
{{- define "console.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
labels:
  {{- include "console.labels" $root | nindent 2 }}
{{- with $root.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "console.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "console.queuesSecret" -}}
{{ .Values.queues.existingSecret | default (printf "%s-queues" (include "console.name" .)) }}
{{- end }}

{{- /* Of the Secret with the queues' URLs, as JSON. */ -}}
{{- define "console.queueKeys" -}}
{{- if .Values.queues.existingSecret -}}
{{ .Values.queues.keys | toJson }}
{{- else -}}
{{ keys .Values.queues.urls | sortAlpha | toJson }}
{{- end -}}
{{- end }}

{{- define "console.tokenSecret" -}}
{{ .Values.auth.existingSecret | default (printf "%s-token" (include "console.name" .)) }}
{{- end }}

{{- define "console.interceptorHost" -}}
{{ .Values.addOn.interceptor.service }}.{{ .Values.addOn.namespace }}.svc.{{ .Values.addOn.clusterDomain }}
{{- end }}

{{- /* What values.schema.json cannot say in a line that people understand. */ -}}
{{- define "console.check" -}}
{{- $values := .Values -}}
{{- $queues := $values.queues -}}
{{- $auth := $values.auth -}}
{{- if and $queues.urls $queues.existingSecret -}}
{{- fail "queues.existingSecret: takes the place of queues.urls" -}}
{{- end -}}
{{- if and $queues.existingSecret (not $queues.keys) -}}
{{- fail "queues.keys: which keys of queues.existingSecret have a queue's URL?" -}}
{{- end -}}
{{- if and $queues.keys (not $queues.existingSecret) -}}
{{- fail "queues.keys: are of queues.existingSecret" -}}
{{- end -}}
{{- if not (or $queues.urls $queues.existingSecret) -}}
{{- fail "queues: nothing to show; queues.urls, or queues.existingSecret and queues.keys" -}}
{{- end -}}
{{- if and $auth.token $auth.existingSecret -}}
{{- fail "auth.existingSecret: takes the place of auth.token" -}}
{{- end -}}
{{- if and $auth.trustProxyUser (or $auth.token $auth.existingSecret) -}}
{{- fail "auth.trustProxyUser: takes the place of auth.token and auth.existingSecret" -}}
{{- end -}}
{{- if not (or $auth.token $auth.existingSecret $auth.trustProxyUser) -}}
{{- fail "auth: who may look? auth.existingSecret, a Secret with a token; or auth.token; or auth.trustProxyUser" -}}
{{- end -}}
{{- if and $values.ingress.namespace (not (has $values.ingress.namespace (list $values.addOn.namespace .Release.Namespace))) -}}
{{- fail "ingress.namespace: addOn.namespace, where the interceptor is, or empty" -}}
{{- end -}}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" -}}
{{- if or (hasKey $values.labels .) (hasKey $values.podLabels .) -}}
{{- fail (printf "labels, podLabels: %s is set by the chart" .) -}}
{{- end -}}
{{- end -}}
{{- end }}
