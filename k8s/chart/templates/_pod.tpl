{{- /* What a Job and a Deployment have in common: the pod. */ -}}
{{- define "semel.pod" -}}
{{- $queue := .Values.queue -}}
{{- $worker := .Values.worker -}}
metadata:
  labels:
    {{- include "semel.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- $whole := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" "karpenter.sh/do-not-disrupt" "true" }}
    {{- toYaml (merge (deepCopy .Values.podAnnotations) $whole) | nindent 4 }}
spec:
  restartPolicy: {{ eq (include "semel.isDeployment" .) "yes" | ternary "Always" "Never" }}
  terminationGracePeriodSeconds: {{ include "semel.terminationGracePeriodSeconds" . }}
  serviceAccountName: {{ include "semel.serviceAccount" . | quote }}
  automountServiceAccountToken: false
  # A service called redis would set REDIS_PORT, and so on, in every pod.
  enableServiceLinks: false
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or .Values.inject.enabled .Values.initContainers }}
  initContainers:
    {{- if .Values.inject.enabled }}
    - name: semel
      image: {{ include "semel.image" (list .Values.inject.image .) | quote }}
      imagePullPolicy: {{ .Values.inject.image.pullPolicy }}
      args: [install, /opt/semel/semel]
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {memory: 64Mi}
      volumeMounts:
        - name: semel
          mountPath: /opt/semel
    {{- end }}
    {{- with .Values.initContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "semel.image" (list .Values.image .) | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- if .Values.inject.enabled }}
      command: [/opt/semel/semel, run, --]
      {{- end }}
      {{- with .Values.command }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- include "semel.queueEnvironment" . | nindent 8 }}
        - {name: SEMEL_DELIVERY, value: {{ $queue.delivery }}}
        - {name: SEMEL_MAX_MESSAGES, value: {{ include "semel.maxMessages" . | quote }}}
        - {name: SEMEL_WAIT, value: {{ include "semel.wait" . | quote }}}
        {{- if ne $queue.kind "rabbitmq" }}
        - {name: SEMEL_LEASE, value: {{ $worker.lease | quote }}}
        {{- end }}
        {{- if not (include "semel.isDeployment" .) }}
        # Not activeDeadlineSeconds: that counts the time before the claim as well, and ends in no settlement.
        {{- end }}
        - {name: SEMEL_TIMEOUT, value: {{ include "semel.timeout" . | quote }}}
        - {name: SEMEL_GRACE, value: {{ $worker.grace | quote }}}
        - {name: SEMEL_ON_TERM, value: {{ include "semel.onTerm" . }}}
        - {name: SEMEL_ON_LOST, value: {{ $worker.onLost }}}
        - {name: SEMEL_MAX_ATTEMPTS, value: {{ $worker.maxAttempts | int | quote }}}
        - {name: SEMEL_RETRY_DELAY, value: {{ $worker.retryDelay | quote }}}
        {{- if eq $queue.kind "rabbitmq" }}
        - {name: SEMEL_DEAD_LETTER, value: {{ $worker.deadLetter }}}
        {{- end }}
        - {name: SEMEL_INPUT, value: {{ $worker.input }}}
        - {name: SEMEL_MAX_MESSAGE_BYTES, value: {{ $worker.maxMessageBytes | quote }}}
        - {name: SEMEL_RESULT, value: {{ $worker.result }}}
        - {name: SEMEL_LINGER, value: {{ include "semel.linger" . | quote }}}
        - {name: SEMEL_STATUS_ADDRESS, value: {{ printf "%s:%d" $worker.statusHost (int $worker.statusPort) | quote }}}
        - {name: SEMEL_LOG_FORMAT, value: {{ $worker.logFormat }}}
        - {name: SEMEL_LOG_LEVEL, value: {{ $worker.logLevel }}}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: status
          containerPort: {{ $worker.statusPort | int }}
          protocol: TCP
      # Ready is who {{ eq (include "semel.isDeployment" .) "yes" | ternary "is connected to the queue" "has claimed a message" }}.
      readinessProbe:
        httpGet: {path: /readyz, port: status}
        {{- toYaml .Values.readinessProbe | nindent 8 }}
      {{- if and (eq $worker.onLost "stop") .Values.livenessProbe }}
      livenessProbe:
        httpGet: {path: /healthz, port: status}
        {{- toYaml .Values.livenessProbe | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      terminationMessagePath: /dev/termination-log
      terminationMessagePolicy: FallbackToLogsOnError
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if .Values.tls.enabled }}
        {{- if .Values.tls.secret }}
        - name: queue-tls
          mountPath: /etc/semel/tls
          readOnly: true
        {{- end }}
        {{- if include "semel.hasAuth" . }}
        - name: queue-password
          mountPath: /etc/semel/queue
          readOnly: true
        {{- end }}
        {{- end }}
        {{- if .Values.inject.enabled }}
        - name: semel
          mountPath: /opt/semel
          readOnly: true
        {{- end }}
        {{- with .Values.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .Values.tmp.sizeLimit | quote }}
        {{- with .Values.tmp.medium }}
        medium: {{ . }}
        {{- end }}
    {{- if .Values.tls.enabled }}
    {{- with .Values.tls.secret }}
    - name: queue-tls
      secret:
        secretName: {{ . | quote }}
        # For the group of fsGroup: what the worker runs as may read it, nobody else.
        defaultMode: 0440
    {{- end }}
    {{- if include "semel.hasAuth" . }}
    # Read again for every connection: a password that changes needs no new pod.
    - name: queue-password
      secret:
        secretName: {{ include "semel.secret" . | quote }}
        defaultMode: 0440
        items:
          - {key: {{ include "semel.passwordKey" . | quote }}, path: password}
    {{- end }}
    {{- end }}
    {{- if .Values.inject.enabled }}
    - name: semel
      emptyDir:
        sizeLimit: 64Mi
    {{- end }}
    {{- with .Values.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . | quote }}
  {{- end }}
{{- end }}
