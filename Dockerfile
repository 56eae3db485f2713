# docker build --target cpu -t ftkeras .       docker build --target cuda -t ftkeras:cuda .
# docker run -v "$PWD:/work" ftkeras train reviews.csv --encoder=distilbert-base-uncased
FROM python:3.12-slim AS cpu
COPY . /src
RUN pip install --no-cache-dir "/src[data,pandas,plot,serve,tune]"
WORKDIR /work
ENV HF_HOME=/work/.cache/huggingface XDG_CACHE_HOME=/work/.cache
EXPOSE 8501
ENTRYPOINT ["ftkeras"]
CMD ["--help"]

# NVIDIA's libraries come from the package index; the host needs its driver and the NVIDIA Container Toolkit.
FROM cpu AS cuda
RUN pip install --no-cache-dir "/src[cuda]"
