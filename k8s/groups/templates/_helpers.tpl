{{- /* What a Job's name adds fits behind it: a CronJob's has 52 characters at most. */ -}}
{{- define "groups.name" -}}
{{- .Release.Name | trunc 40 | trimAll "-." -}}
{{- end }}

{{- define "groups.selector" -}}
app.kubernetes.io/name: semel-groups
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "groups.labels" -}}
{{ include "groups.selector" . }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "groups.state" -}}
{{ .Values.state | default (printf "%s-state" .Values.groups.name) }}
{{- end }}

{{- define "groups.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* What the pods of both CronJobs have in common, but for their containers. (list ROOT PART) */ -}}
{{- define "groups.podSettings" -}}
{{- $root := index . 0 -}}
restartPolicy: Never
serviceAccountName: {{ include "groups.name" $root }}-{{ index . 1 }}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  {{- toYaml $root.Values.podSecurityContext | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "groups.podMetadata" -}}
labels:
  {{- include "groups.selector" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Of a container. */ -}}
{{- define "groups.containerSettings" -}}
image: {{ include "groups.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}
