// Stands in for libedgetpu: a TFLite delegate plug-in that takes over the Edge TPU's
// custom op. It computes nothing; it counts its calls in the file $EDGETPU_STUB_CALLS, and
// fails like an unplugged device once the file $EDGETPU_STUB_GONE exists.
// The layouts are the beginnings of those in TensorFlow's lite/core/c/common.h.
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int size; int data[]; } IntArray;
struct Context;
struct Node;
typedef struct Registration {
    void *(*init)(struct Context *, const char *, size_t);
    void (*free)(struct Context *, void *);
    int (*prepare)(struct Context *, struct Node *);
    int (*invoke)(struct Context *, struct Node *);
    const char *(*profiling_string)(const struct Context *, const struct Node *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *registration_external;
    void *async_kernel;
    uint64_t inplace_operator;
} Registration;
typedef struct Delegate {
    void *data;
    int (*Prepare)(struct Context *, struct Delegate *);
    void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
    int64_t flags;
    void *opaque_delegate_builder;
} Delegate;
typedef struct Context {
    size_t tensors_size;
    int (*GetExecutionPlan)(struct Context *, IntArray **);
    void *tensors;
    void *impl;
    int (*ResizeTensor)(struct Context *, void *, IntArray *);
    void (*ReportError)(struct Context *, const char *, ...);
    int (*AddTensors)(struct Context *, int, int *);
    int (*GetNodeAndRegistration)(struct Context *, int, struct Node **, Registration **);
    int (*ReplaceNodeSubsetsWithDelegateKernels)(
        struct Context *, Registration, const IntArray *, struct Delegate *);
} Context;

static int prepare_node(Context *context, struct Node *node)
{
    (void)context, (void)node;
    return 0;
}

static int invoke(Context *context, struct Node *node)
{
    (void)node;
    if (access(getenv("EDGETPU_STUB_GONE"), F_OK) == 0) {
        context->ReportError(context, "USB transfer error 1 [LibUsbDataOutCallback]");
        return 1;
    }
    FILE *calls = fopen(getenv("EDGETPU_STUB_CALLS"), "a");
    fputc('.', calls);
    fclose(calls);
    return 0;
}

static int prepare(Context *context, Delegate *delegate)
{
    IntArray *plan;
    context->GetExecutionPlan(context, &plan);
    IntArray *mine = calloc(1, sizeof(IntArray) + plan->size * sizeof(int));
    for (int i = 0; i < plan->size; i++) {
        struct Node *node;
        Registration *op;
        context->GetNodeAndRegistration(context, plan->data[i], &node, &op);
        if (op->custom_name && !strcmp(op->custom_name, "edgetpu-custom-op"))
            mine->data[mine->size++] = plan->data[i];
    }
    Registration kernel = {
        .prepare = prepare_node, .invoke = invoke, .custom_name = "EdgeTpuStub", .version = 1};
    int status = context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, mine, delegate);
    free(mine);
    return status;
}

Delegate *tflite_plugin_create_delegate(
    char **keys, char **values, size_t count, void (*report)(const char *))
{
    (void)keys, (void)values, (void)count;
    if (access(getenv("EDGETPU_STUB_GONE"), F_OK) == 0) {
        report("no Edge TPU");
        return NULL;
    }
    Delegate *delegate = calloc(1, sizeof *delegate);
    delegate->Prepare = prepare;
    // AllowDynamicTensors: otherwise all ops are prepared before, and nobody knows this one.
    delegate->flags = 1;
    return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate)
{
    free(delegate);
}
