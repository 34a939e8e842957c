package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type BenchSpec struct {
	X    int64  `json:"x"`
	Note string `json:"note,omitempty"`
}

type BenchStatus struct {
	X                  int64 `json:"x,omitempty"`
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

type Bench struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              BenchSpec   `json:"spec"`
	Status            BenchStatus `json:"status,omitempty"`
}

type BenchList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Bench `json:"items"`
}

func (in *Bench) DeepCopyObject() runtime.Object {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return &out
}

func (in *BenchList) DeepCopyObject() runtime.Object {
	out := *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Bench, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].DeepCopyObject().(*Bench)
	}
	return &out
}

func scheme() *runtime.Scheme {
	version := schema.GroupVersion{Group: "bench.cogniforge.dev", Version: "v1"}
	out := runtime.NewScheme()
	out.AddKnownTypes(version, &Bench{}, &BenchList{})
	metav1.AddToGroupVersion(out, version)
	return out
}
