"""benchmarks/compare/pooled_peers.py: the rows of pooled.py, and what PyTorch and scikit-learn do with them.

    python pooled_peers.py make HEADSTART FILE ROWS     makes a features file of ROWS x 512
    python pooled_peers.py NAME FILE THREADS [HIDDEN]   a worker; see worker.py. HIDDEN units, of PyTorch alone; 0: none

A row is max(0, class mean + noise of 24 common directions + noise of its own + 1.2): four fifths are not zero, classes
overlap, and directions vary unequally, as pooled activations do.
"""

import pathlib
import subprocess
import sys

import numpy as np

import worker

FEATURES, CLASSES, BATCH, EPOCHS = 512, 10, 32, 10
MOMENTUM, L2, HELD_OUT = 0.9, 1e-4, 0.2
ROWS_AT_ONCE = 20_000
ROUNDS = (8, 24, 72)  # epochs, as `headstart sweep` has them
RATES, LAMBDAS, HIDDEN = (0.1, 0.3, 1.0, 3.0), (1e-5, 1e-4, 1e-3), ((), (256,))


def make(headstart, file, rows):
    import h5py

    program = pathlib.Path(__file__).resolve().parents[1] / "make_features_file.py"
    subprocess.run([sys.executable, str(program), headstart, file, str(rows), str(FEATURES), str(CLASSES)], check=True)
    means = np.random.default_rng(7).normal(size=(CLASSES, FEATURES)).astype(np.float32) * 0.22
    common = np.random.default_rng(8).normal(size=(24, FEATURES)).astype(np.float32) * 0.5
    random = np.random.default_rng(9)
    with h5py.File(file, "r+") as table:
        labels = table["labels"][:]
        for first in range(0, rows, ROWS_AT_ONCE):
            of = labels[first:first + ROWS_AT_ONCE]
            values = means[of] + random.normal(size=(len(of), 24)).astype(np.float32) @ common
            values += random.normal(size=values.shape).astype(np.float32) + 1.2
            table["features"][first:first + len(of)] = np.maximum(values, 0)


def read(file):
    """(features, labels) of the rows that train, and of those held out: each class's share, as headstart draws it."""
    import h5py

    with h5py.File(file) as table:
        features, labels = table["features"][:], table["labels"][:]
    held_out = np.zeros(len(labels), bool)
    for label in range(CLASSES):
        of = np.flatnonzero(labels == label)
        held_out[np.random.default_rng(label).permutation(of)[:round(HELD_OUT * len(of))]] = True
    return (features[~held_out], labels[~held_out]), (features[held_out], labels[held_out])


class PyTorch:
    def __init__(self, file, threads, hidden):
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(7)
        self.torch, self.version, self.hidden = torch, f"PyTorch {torch.__version__}", hidden
        self.training, self.held_out = [tuple(map(torch.from_numpy, part)) for part in read(file)]

    def prepare(self):
        return {"version": self.version}

    def run(self):
        torch, (features, labels) = self.torch, self.training
        model = torch.nn.Linear(FEATURES, CLASSES)
        if self.hidden > 0:
            model = torch.nn.Sequential(torch.nn.Linear(FEATURES, self.hidden), torch.nn.ReLU(),
                                        torch.nn.Linear(self.hidden, CLASSES))
        weights = [parameter for parameter in model.parameters() if parameter.dim() == 2]
        biases = [parameter for parameter in model.parameters() if parameter.dim() == 1]
        optimizer = torch.optim.SGD([{"params": weights, "weight_decay": 2 * L2}, {"params": biases}], lr=0.001,
                                    momentum=MOMENTUM, fused=True)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(labels)).split(BATCH):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(features[batch]), labels[batch].long()).backward()
                optimizer.step()
        with torch.no_grad():
            accuracy = (model(self.held_out[0]).argmax(1) == self.held_out[1]).double().mean().item()
        self.findings = {"accuracy": accuracy}


class ScikitLearn:
    def __init__(self, file, threads):
        import sklearn

        self.version = f"scikit-learn {sklearn.__version__}"
        self.threads = threads
        self.training, self.held_out = read(file)

    def prepare(self):
        return {"version": f"{self.version}, {self.what}"}

    def judge(self, model):
        self.findings = {"accuracy": float((model.predict(self.held_out[0]) == self.held_out[1]).mean())}


def transforms():
    """unit, scale and standardize."""
    from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

    return Normalizer(), FunctionTransformer(lambda x: x / np.sqrt((x ** 2).sum(1).mean())), StandardScaler()


class Halving(ScikitLearn):
    """HalvingGridSearchCV over epochs: 72 candidates, then a third, then a third of these, on all rows."""

    what = "HalvingGridSearchCV of MLPClassifier"

    def run(self):
        from sklearn.experimental import enable_halving_search_cv  # noqa: F401, makes the next line possible
        from sklearn.model_selection import HalvingGridSearchCV
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import Pipeline

        features, labels = self.training
        grid = []
        for transform in transforms():
            rows = transform.fit_transform(features)
            square = float((rows ** 2).sum(1).mean())
            # MLPClassifier's alpha is L2's lambda times twice the rows of a batch.
            grid.append({"transform": [transform], "head__hidden_layer_sizes": HIDDEN,
                         "head__learning_rate_init": [rate / square for rate in RATES],
                         "head__alpha": [2 * BATCH * value for value in LAMBDAS]})
        head = MLPClassifier(solver="sgd", batch_size=BATCH, momentum=MOMENTUM, nesterovs_momentum=False,
                             n_iter_no_change=ROUNDS[-1] + 1, random_state=0)
        search = HalvingGridSearchCV(Pipeline([("transform", None), ("head", head)]), grid, factor=3,
                                     resource="head__max_iter", min_resources=ROUNDS[0], max_resources=ROUNDS[-1], cv=5,
                                     n_jobs=self.threads, random_state=0)
        self.judge(search.fit(features, labels))


class Logistic(ScikitLearn):
    """The linear half of the candidates, by L-BFGS."""

    what = "LogisticRegressionCV, linear only"

    def run(self):
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.pipeline import make_pipeline

        models = []
        for transform in transforms():
            head = LogisticRegressionCV(Cs=10, cv=5, max_iter=1000, n_jobs=self.threads, scoring="accuracy")
            models.append(make_pipeline(transform, head).fit(*self.training))
        self.judge(max(models, key=lambda model: max(scores.mean(0).max() for scores in model[-1].scores_.values())))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:4], int(sys.argv[4]))
    else:
        peers = {"pytorch": PyTorch, "halving": Halving, "logistic": Logistic}
        worker.serve(peers[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:])))
