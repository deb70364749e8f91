/* A delegate and a custom operator for the tests, built with any C compiler.
 *
 * The delegate takes every TANH, or nothing, or declines, as its options say. EdgeTanh is the same
 * function as a custom operator. No TFLite headers: the structures below repeat the start of the C
 * interface, which has kept its layout since TensorFlow 2.4; fields that are not used here are left out
 * at the end, or padded where the runtime copies the structure by value.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { kOk = 0, kError = 1, kFloat32 = 1, kTanh = 28, kDelegate = 51 };

typedef struct {
  int size;
  int data[];
} IntArray;

typedef struct Context Context;
typedef struct Delegate Delegate;

typedef struct {
  int type;
  void *data;
  IntArray *dims;
  float scale;
  int32_t zero_point;
  int allocation_type;
  size_t bytes;
} Tensor;

typedef struct {
  IntArray *inputs;
  IntArray *outputs;
  IntArray *intermediates;
  IntArray *temporaries;
  void *user_data;
} Node;

typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *more[5];
} Registration;

struct Context {
  size_t tensors_size;
  int (*GetExecutionPlan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  int (*ResizeTensor)(Context *, Tensor *, IntArray *);
  void (*ReportError)(Context *, const char *, ...);
  int (*AddTensors)(Context *, int, int *);
  int (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  int (*ReplaceNodeSubsets)(Context *, Registration, const IntArray *, Delegate *);
};

struct Delegate {
  void *data;
  int (*Prepare)(Context *, Delegate *);
  void *copy_from;
  void *copy_to;
  void *free_handle;
  int64_t flags;
  void *builder;
};

/* The runtimes' tensor structures are longer than ours, each by its own amount. The distance between two
 * tensors is found by looking where the next ones make sense. */
static size_t stride_of(Context *context) {
  const char *base = (const char *)context->tensors;
  for (size_t step = sizeof(Tensor); step <= 256; step += 8) {
    int fits = 1;
    for (size_t i = 1; i < context->tensors_size && i < 3 && fits; i++) {
      const Tensor *tensor = (const Tensor *)(base + i * step);
      fits = tensor->type == kFloat32 && ((uintptr_t)tensor->dims & 7) == 0 &&
             (uintptr_t)tensor->dims > 0x10000 && tensor->bytes % 4 == 0 && tensor->bytes < (1 << 20) &&
             tensor->allocation_type >= 0 && tensor->allocation_type < 16;
    }
    if (fits) return step;
  }
  return 0;
}

static size_t stride;

static Tensor *tensor_at(Context *context, int index) {
  return (Tensor *)((char *)context->tensors + (size_t)index * stride);
}

static int apply_tanh(Context *context, int from, int to) {
  if (!stride) stride = stride_of(context);
  if (!stride) return kError;
  Tensor *in = tensor_at(context, from), *out = tensor_at(context, to);
  if (in->bytes != out->bytes) return kError;
  for (size_t i = 0; i < in->bytes / sizeof(float); i++)
    ((float *)out->data)[i] = tanhf(((const float *)in->data)[i]);
  return kOk;
}

static int resize_output(Context *context, int from, int to) {
  if (!stride) stride = stride_of(context);
  if (!stride) return kError;
  IntArray *dims = tensor_at(context, from)->dims;
  size_t bytes = sizeof(int) * (size_t)(dims->size + 1);
  IntArray *copy = malloc(bytes);
  memcpy(copy, dims, bytes);
  return context->ResizeTensor(context, tensor_at(context, to), copy);
}

/* Custom operator. */

static int tanh_prepare(Context *context, Node *node) {
  return resize_output(context, node->inputs->data[0], node->outputs->data[0]);
}

static int tanh_invoke(Context *context, Node *node) {
  return apply_tanh(context, node->inputs->data[0], node->outputs->data[0]);
}

int edge_calls = 0; /* how often a runtime called us, for a runtime that leaves AddCustom to the library */

void EdgeRegisterCustomOps(void *resolver) {
  static Registration registration = {.prepare = tanh_prepare, .invoke = tanh_invoke};
  typedef void (*AddCustom)(void *, const char *, const Registration *, int);
  edge_calls += resolver != NULL;
  AddCustom add = (AddCustom)dlsym(RTLD_DEFAULT, "_ZN6tflite17MutableOpResolver9AddCustomEPKcPK18TfLiteRegistrationi");
  if (add) add(resolver, "EdgeTanh", &registration, 1);
}

/* Delegate. */

typedef struct {
  int from, to;
} Pair;

typedef struct {
  Delegate *delegate;
  IntArray *nodes;
  IntArray *inputs;
  IntArray *outputs;
} Params;

static int fail_at_run;

static void *part_init(Context *context, const char *buffer, size_t length) {
  const Params *params = (const Params *)buffer;
  Pair *pair = malloc(sizeof(Pair));
  (void)length;
  Node *node;
  Registration *registration;
  context->GetNodeAndRegistration(context, params->nodes->data[0], &node, &registration);
  pair->from = node->inputs->data[0];
  pair->to = node->outputs->data[0];
  return pair;
}

static void part_free(Context *context, void *data) {
  (void)context;
  free(data);
}

static int part_prepare(Context *context, Node *node) {
  const Pair *pair = node->user_data;
  return resize_output(context, pair->from, pair->to);
}

static int part_invoke(Context *context, Node *node) {
  const Pair *pair = node->user_data;
  if (fail_at_run) {
    context->ReportError(context, "the accelerator is asleep");
    return kError;
  }
  return apply_tanh(context, pair->from, pair->to);
}

static int take_tanh(Context *context, Delegate *delegate) {
  Registration part = {.init = part_init, .free = part_free, .prepare = part_prepare, .invoke = part_invoke,
                       .builtin_code = kDelegate, .custom_name = "EdgeTestDelegate", .version = 1};
  IntArray *plan;
  if (context->GetExecutionPlan(context, &plan) != kOk) return kError;
  int nodes[2] = {0, 0};
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *registration;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) != kOk) return kError;
    if (registration->builtin_code == kTanh) {
      nodes[0] = 1;
      nodes[1] = plan->data[i];
    }
  }
  if (!nodes[0]) return kOk;
  return context->ReplaceNodeSubsets(context, part, (const IntArray *)nodes, delegate);
}

static int take_nothing(Context *context, Delegate *delegate) {
  (void)context;
  (void)delegate;
  return kOk;
}

static int refuse_model(Context *context, Delegate *delegate) {
  (void)delegate;
  context->ReportError(context, "this model is not for me");
  return kError;
}

void *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  const char *mode = "take";
  for (size_t i = 0; i < count; i++)
    if (!strcmp(keys[i], "mode")) mode = values[i];
  if (!strcmp(mode, "decline")) {
    if (report) report("no accelerator on this board");
    return NULL;
  }
  Delegate *delegate = calloc(1, sizeof(Delegate));
  fail_at_run = !strcmp(mode, "fail");
  delegate->flags = 1; /* sizes may change */
  delegate->Prepare = !strcmp(mode, "nothing")   ? take_nothing
                      : !strcmp(mode, "refuse") ? refuse_model
                                                : take_tanh;
  return delegate;
}

void tflite_plugin_destroy_delegate(void *delegate) { free(delegate); }
