{{/* The rules of a pack as PolicyRules, one document each. Takes a dict of root, pack and values. */}}
{{- define "cogniforge.pack" -}}
{{- $folder := printf "files/policies/%s" .pack }}
{{- $libs := list }}
{{- range $path, $_ := .root.Files.Glob (printf "%s/*.rego" $folder) }}
{{- $libs = append $libs ($.root.Files.Get $path) }}
{{- end }}
{{- range $path, $_ := .root.Files.Glob (printf "%s/*.yaml" $folder) }}
{{- $rule := $.root.Files.Get $path | fromYaml }}
---
apiVersion: cogniforge.dev/v1alpha1
kind: PolicyRule
metadata:
  name: {{ printf "%s-%s" $.pack (base $path | trimSuffix ".yaml") }}
  labels:
    {{- include "cogniforge.labels" $.root | nindent 4 }}
    cogniforge.dev/pack: {{ $.pack }}
spec:
  description: {{ $rule.description | quote }}
  severity: {{ $rule.severity }}
  category: Security
  enforcementMode: {{ $.values.enforcementMode }}
  failurePolicy: {{ $.values.failurePolicy }}
  match:
    kinds:
      - apiGroups: ['']
        kinds: [Pod, ReplicationController]
      - apiGroups: [apps]
        kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet]
      - apiGroups: [batch]
        kinds: [Job, CronJob]
    {{- with $.values.excludedNamespaces }}
    excludedNamespaces:
      {{- range . }}
      - {{ . | quote }}
      {{- end }}
    {{- end }}
  rego: |
    {{- $rule.rego | trim | nindent 4 }}
  libs:
    {{- range $libs }}
    - |
      {{- trim . | nindent 6 }}
    {{- end }}
{{ end }}
{{- end }}
