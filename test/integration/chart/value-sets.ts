/** Values under which the chart is rendered: each switch both ways, each list with and without entries. */
export const VALUE_SETS: Readonly<Record<string, readonly string[]>> = {
  defaults: [],
  'without CRDs': ['--set=crds.enabled=false'],
  'CRDs that go with the chart': ['--set=crds.keep=false'],
  'image by digest, from a private registry': [
    `--set=image.digest=sha256:${'0'.repeat(64)},image.repository=registry.example/cogniforge`,
    '--set=imagePullSecrets[0].name=registry,image.pullPolicy=Always',
  ],
  'imported image': ['--set=image.tag=dev,image.pullPolicy=Never'],
  'certificates by cert-manager, CA of its own': ['--set=webhook.certManager.enabled=true'],
  'certificates by cert-manager, given issuer': [
    '--set=webhook.certManager.enabled=true,webhook.certManager.issuerRef.name=company',
    '--set=webhook.certManager.issuerRef.kind=ClusterIssuer,webhook.certManager.issuerRef.group=cert-manager.io',
    '--set=webhook.certManager.duration=24h,webhook.certManager.renewBefore=8h',
  ],
  'pod security enforced': ['--set=policies.podSecurity.enabled=true'],
  'pod security as a warning, everywhere, failing closed': [
    '--set=policies.podSecurity.enabled=true,policies.podSecurity.enforcementMode=Warn',
    '--set=policies.podSecurity.failurePolicy=Fail',
    '--set-json=policies.podSecurity.excludedNamespaces=[]',
  ],
  monitoring: [
    '--set=metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.interval=15s',
    '--set=metrics.serviceMonitor.labels.release=prometheus',
    '--set=metrics.prometheusRule.enabled=true,metrics.prometheusRule.labels.release=prometheus',
  ],
  'a tight network': [
    '--set-json=networkPolicy.apiServerCIDRs=["10.0.0.1/32","fd00::1/128"]',
    '--set-json=networkPolicy.apiServerPorts=[6443]',
    '--set-json=networkPolicy.metricsFrom=[{"namespaceSelector":{"matchLabels":{"name":"monitoring"}}}]',
    '--set-json=networkPolicy.extraEgress=[{"ports":[{"port":22}],"to":[{"ipBlock":{"cidr":"192.0.2.0/24"}}]}]',
  ],
  'one replica, nothing around it': [
    '--set=replicaCount=1,podDisruptionBudget.enabled=false,networkPolicy.enabled=false',
    '--set-json=topologySpreadConstraints=[]',
  ],
  'a place of its own': [
    '--set-json=tolerations=[{"key":"infra","operator":"Exists","effect":"NoSchedule"}]',
    '--set-json=affinity={"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"infra","operator":"Exists"}]}]}}}',
    '--set=priorityClassName=system-cluster-critical,nodeSelector.zone=a,podLabels.team=platform',
    '--set=podAnnotations.note=x,serviceAccount.annotations.note=x,podDisruptionBudget.maxUnavailable=50%',
    '--set-json=resources={"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}',
  ],
  'failing open, in a hurry, talkative': [
    '--set=webhook.failMode=Ignore,webhook.lameDuckSeconds=0,logLevel=debug,test.namespace=kube-public',
  ],
};
