{{/*
Names are fixed: the operator's webhook configuration is one per cluster, and so is the operator. A second release stops
at the ClusterRole with Helm's own message.
*/}}
{{- define "cogniforge.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: cogniforge
{{ include "cogniforge.selector" . }}
{{- end }}

{{- define "cogniforge.selector" -}}
app.kubernetes.io/name: cogniforge
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The operator's Pods, and not those of hooks and tests. */}}
{{- define "cogniforge.podSelector" -}}
{{ include "cogniforge.selector" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "cogniforge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}

{{/* The parts of the restricted Pod Security Standard, for every Pod of the chart. */}}
{{- define "cogniforge.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "cogniforge.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What a Pod that runs one command and ends has in common: the hook's and the test's. Takes a dict of root and args. */}}
{{- define "cogniforge.commandPod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "cogniforge.podSecurityContext" .root | nindent 2 }}
containers:
  - name: cogniforge
    image: {{ include "cogniforge.image" .root | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    securityContext:
      {{- include "cogniforge.securityContext" .root | nindent 6 }}
    resources:
      requests:
        cpu: 50m
        memory: 64Mi
      limits:
        memory: 256Mi
    {{- with .mounts }}
    volumeMounts:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- with .volumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
